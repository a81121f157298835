import Graph

/// Single steps of recurrent layers.
enum PyTorchCells {
    static let operators = [
        PyTorchOperator("aten.lstm_cell.default", map: lstm),
        PyTorchOperator("aten.gru_cell.default", map: gru),
        PyTorchOperator("aten.rnn_tanh_cell.default") { (call) throws(GraphError) in
            try call.result("Tanh", [call.emit("Add", [product(call, "i"), product(call, "h")])])
        },
        PyTorchOperator("aten.rnn_relu_cell.default") { (call) throws(GraphError) in
            try call.result("Relu", [call.emit("Add", [product(call, "i"), product(call, "h")])])
        },
    ]

    /// What the input (`i`) or the state (`h`) adds to the gates.
    private static func product(_ call: PyTorchCall, _ side: String) throws(GraphError) -> String {
        let operand: String
        if side == "i" {
            operand = try call.value("input")
        } else if case .tensors(let states) = call.node.arguments["hx"], case let state?? = states.first {
            operand = try call.builder.value(state)
        } else {
            operand = try call.value("hx")
        }
        var inputs: [String?] = [operand, try call.value("w_\(side)h")]
        if let bias = try call.optionalValue("b_\(side)h") { inputs.append(bias) }
        return try call.emit("Gemm", inputs, ["transB": .integer(1)])
    }

    private static func gates(
        _ value: String, _ count: Int, _ call: PyTorchCall
    ) throws(GraphError) -> [String] {
        let names = (0..<count).map { _ in call.builder.freshValue(call.node.name + "/gate") }
        try call.builder.append(
            "Split", [value], ["axis": .integer(-1), "num_outputs": .integer(Int64(count))], outputs: names,
            name: call.node.displayName + "/Split")
        return names
    }

    /// c' = σ(f)·c + σ(i)·tanh(g), h' = σ(o)·tanh(c').
    private static func lstm(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let states = try call.tensorNames("hx").compactMap { $0 }
        guard states.count == 2 else { throw call.refusal("has \(states.count) states") }
        let sum = try call.emit("Add", [product(call, "i"), product(call, "h")])
        let gates = try gates(sum, 4, call)
        let kept = try call.emit("Mul", [call.emit("Sigmoid", [gates[1]]), call.builder.value(states[1])])
        let new = try call.emit(
            "Mul", [call.emit("Sigmoid", [gates[0]]), call.emit("Tanh", [gates[2]])])
        let cell = try call.emit("Add", [kept, new])
        return [
            try call.emit("Mul", [call.emit("Sigmoid", [gates[3]]), call.emit("Tanh", [cell])]), cell,
        ]
    }

    /// h' = n + σ(z)·(h − n), n = tanh(in + σ(r)·hn).
    private static func gru(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let input = try gates(product(call, "i"), 3, call)
        let state = try gates(product(call, "h"), 3, call)
        let reset = try call.emit("Sigmoid", [call.emit("Add", [input[0], state[0]])])
        let update = try call.emit("Sigmoid", [call.emit("Add", [input[1], state[1]])])
        let new = try call.emit(
            "Tanh", [call.emit("Add", [input[2], call.emit("Mul", [reset, state[2]])])])
        let difference = try call.emit("Sub", [call.value("hx"), new])
        return try call.result("Add", [new, call.emit("Mul", [update, difference])])
    }
}
