import Graph
import Tensors

/// LSTM, GRU and RNN, layer by layer and in one or both directions.
enum PyTorchRecurrent {
    static let operators = [
        // PyTorch's gates are i, f, g, o; ONNX's are i, o, f, c.
        PyTorchOperator("aten.lstm.input") { (call) throws(GraphError) in
            try layers(call, "LSTM", gates: [0, 3, 1, 2])
        },
        // PyTorch's gates are r, z, n; ONNX's are z, r, h.
        PyTorchOperator("aten.gru.input") { (call) throws(GraphError) in
            try layers(call, "GRU", gates: [1, 0, 2])
        },
        PyTorchOperator("aten.rnn_tanh.input") { (call) throws(GraphError) in
            try layers(call, "RNN", gates: [0])
        },
        PyTorchOperator("aten.rnn_relu.input") { (call) throws(GraphError) in
            try layers(call, "RNN", gates: [0], activation: "Relu")
        },
    ]

    private static func layers(
        _ call: PyTorchCall, _ type: String, gates: [Int], activation: String = "Tanh"
    ) throws(GraphError) -> [String] {
        guard try !call.flag("train") else { throw call.refusal(PyTorchNormalization.trainingReason) }
        let hasBiases = try call.flag("has_biases", default: true)
        let directions = try call.flag("bidirectional") ? 2 : 1
        let isBatchFirst = try call.flag("batch_first")
        let layerCount = try call.integer("num_layers", default: 1)
        let parameters = try call.tensorNames("params").compactMap { $0 }
        let perDirection = hasBiases ? 4 : 2
        let (count, overflow) = layerCount.multipliedReportingOverflow(by: directions * perDirection)
        guard layerCount > 0, !overflow, parameters.count == count else {
            // Projections have parameters of their own.
            throw call.refusal(
                "has \(parameters.count) parameters for \(layerCount) layers, projections are not supported")
        }
        guard try call.meta("input").rank == 3 else { throw call.refusal("takes inputs of rank 3") }
        var value = try call.value("input")
        if isBatchFirst { value = try call.emit("Transpose", [value], swapped) }
        var states: [[String]] = [[], []]
        let isCell = type == "LSTM"
        for layer in 0..<layerCount {
            let first = layer * directions * perDirection
            let own = Array(parameters[first..<first + directions * perDirection])
            var inputs = try weights(call, own, gates: gates, directions: directions, hasBiases: hasBiases)
            inputs = [value] + inputs
            let initial = try initialStates(call, layer: layer, directions: directions, isCell: isCell)
            if !initial.isEmpty { inputs += [nil] + initial }
            let hiddenSize = try hiddenSize(call, own[1])
            var attributes: [String: Attribute] = [
                "hidden_size": .integer(Int64(hiddenSize)),
                "direction": .string(directions == 2 ? "bidirectional" : "forward"),
            ]
            if type == "GRU" { attributes["linear_before_reset"] = .integer(1) }
            if type == "RNN" {
                attributes["activations"] = .strings([String](repeating: activation, count: directions))
            }
            let outputs = (0..<(isCell ? 3 : 2)).map { _ in
                call.builder.freshValue(call.node.name + "/\(type)")
            }
            try call.builder.append(
                type, inputs, attributes, outputs: outputs, name: call.node.displayName + "/\(layer)")
            // [time, directions, batch, hidden] to [time, batch, directions·hidden].
            let moved = try call.emit("Transpose", [outputs[0]], swappedMiddle)
            value = try call.emit("Reshape", [moved, call.vector([0, 0, directions * hiddenSize])])
            for (index, state) in outputs.dropFirst().enumerated() { states[index].append(state) }
        }
        var results = isBatchFirst ? try call.result("Transpose", [value], swapped) : [value]
        for parts in states.prefix(isCell ? 2 : 1) {
            results.append(
                parts.count == 1 ? parts[0] : try call.emit("Concat", parts, ["axis": .integer(0)]))
        }
        return results
    }

    private static let swapped: [String: Attribute] = ["perm": .integers([1, 0, 2])]
    private static let swappedMiddle: [String: Attribute] = ["perm": .integers([0, 2, 1, 3])]

    private static func hiddenSize(_ call: PyTorchCall, _ recurrent: String) throws(GraphError) -> Int {
        let meta = try call.builder.meta(recurrent)
        guard meta.rank == 2, let size = meta.dimensions[1].value else {
            throw call.refusal("recurrent weights must have rank 2")
        }
        return size
    }

    /// W, R and B of a layer, directions stacked, the gates in ONNX's order.
    private static func weights(
        _ call: PyTorchCall, _ parameters: [String], gates: [Int], directions: Int, hasBiases: Bool
    ) throws(GraphError) -> [String?] {
        let perDirection = hasBiases ? 4 : 2
        var parts: [[String]] = [[], [], []]
        for direction in 0..<directions {
            let own = parameters[direction * perDirection..<(direction + 1) * perDirection].map { $0 }
            for index in 0..<2 { parts[index].append(try reordered(call, own[index], gates)) }
            guard hasBiases else { continue }
            let biases = [try reordered(call, own[2], gates), try reordered(call, own[3], gates)]
            parts[2].append(try call.emit("Concat", biases, ["axis": .integer(0)]))
        }
        var values: [String?] = []
        for part in parts where !part.isEmpty {
            var stacked: [String] = []
            for value in part { stacked.append(try call.emit("Unsqueeze", [value, call.vector([0])])) }
            values.append(
                stacked.count == 1 ? stacked[0] : try call.emit("Concat", stacked, ["axis": .integer(0)]))
        }
        return values
    }

    /// The blocks of the first axis, one a gate, in another order.
    private static func reordered(_ call: PyTorchCall, _ name: String, _ gates: [Int]) throws(GraphError)
        -> String
    {
        guard let rows = try call.builder.meta(name).dimensions.first?.value, rows > 0,
            rows.isMultiple(of: gates.count)
        else { throw call.refusal("'\(name)' has not \(gates.count) gates") }
        let size = rows / gates.count
        let value = try call.builder.value(name)
        var blocks: [String] = []
        for gate in gates {
            blocks.append(
                try call.emit(
                    "Slice",
                    [
                        value, call.vector([gate * size]), call.vector([(gate + 1) * size]), call.vector([0]),
                    ]))
        }
        return try call.emit("Concat", blocks, ["axis": .integer(0)])
    }

    /// The states that a layer begins with; none where they are zeros.
    private static func initialStates(
        _ call: PyTorchCall, layer: Int, directions: Int, isCell: Bool
    ) throws(GraphError) -> [String?] {
        var names: [String] = []
        if isCell {
            names = try call.tensorNames("hx").compactMap { $0 }
        } else {
            names = [try call.tensorName("hx")]
        }
        var values: [String] = []
        for name in names { values.append(try call.builder.value(name)) }
        guard values.count == (isCell ? 2 : 1) else { throw call.refusal("has \(values.count) states") }
        if values.allSatisfy({ call.builder.fill($0) == 0 }) { return [] }
        var states: [String?] = []
        for value in values {
            states.append(
                try call.emit(
                    "Slice",
                    [
                        value, call.vector([layer * directions]), call.vector([(layer + 1) * directions]),
                        call.vector([0]),
                    ]))
        }
        return states
    }
}
