import Graph
import Tensors

/// Recurrent layers: ONNX has time first and another order of gates.
enum KerasRecurrents {
    /// `nil`: another family's layer.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "LSTM", "GRU", "SimpleRNN": try recurrent(&builder, layer, call)
        case "Bidirectional": try bidirectional(&builder, layer, call)
        default: nil
        }
    }

    private static func recurrent(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let isReversed = layer.flag("go_backwards", default: false)
        let returnsAll = layer.flag("return_sequences", default: false)
        guard !isReversed || !returnsAll else {
            throw KerasRefusal("go_backwards with return_sequences is not supported")
        }
        let steps = try timeFirst(try sequence(call), &builder)
        return try run(&builder, layer, steps, isReversed: isReversed)
    }

    /// Without initial states and masks.
    private static func sequence(_ call: KerasCall) throws(KerasRefusal) -> KerasValue {
        guard call.keywords["initial_state"] ?? .null == .null else {
            throw KerasRefusal("initial states are not supported")
        }
        return try call.input
    }

    private static func timeFirst(
        _ value: KerasValue, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> String {
        guard try builder.rank(value) == 3 else { throw KerasRefusal("its input is no sequence of vectors") }
        // Of [N, C, T] as of [N, T, C].
        let order: [Int64] = value.isMoved ? [2, 0, 1] : [1, 0, 2]
        return try builder.add("Transpose", [value.name], ["perm": .integers(order)])
    }

    /// One direction: its sequence or last state, then, if it returns them, its states.
    private static func run(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ steps: String, isReversed: Bool
    ) throws(KerasRefusal) -> [KerasValue] {
        try layer.require("stateful")
        try layer.require("time_major")
        let gateCount: Int
        let type: String
        switch layer.className {
        case "LSTM": (type, gateCount) = ("LSTM", 4)
        case "GRU": (type, gateCount) = ("GRU", 3)
        case "SimpleRNN": (type, gateCount) = ("RNN", 1)
        default: throw KerasRefusal("this layer is not supported")
        }
        let units = try layer.integer("units")
        let cell = layer.weights.child("cell", nil)
        // i, f, c, o become i, o, f, c; z, r, h stay.
        let order = type == "LSTM" ? [0, 3, 1, 2] : Array(0..<gateCount)
        let kernel = try gates(cell.tensor(0, "kernel", rank: 2), order, units)
        let recurrent = try gates(cell.tensor(1, "recurrent_kernel", rank: 2), order, units)
        var parts: [String?] = [
            steps, builder.constant(kernel, "kernel"), builder.constant(recurrent, "recurrent_kernel"),
        ]
        if layer.flag("use_bias", default: true) {
            parts.append(builder.constant(try bias(cell.tensor(2, "bias"), order, units), "bias"))
        }
        var attributes: [String: Attribute] = [
            "hidden_size": .integer(Int64(units)), "direction": .string(isReversed ? "reverse" : "forward"),
        ]
        try activations(layer, type, &attributes)
        if type == "GRU" {
            let resetsAfter = layer.flag("reset_after", default: !layer.isKeras2)
            attributes["linear_before_reset"] = .integer(resetsAfter ? 1 : 0)
        }
        let outputs = try builder.addNode(type, parts, attributes, outputCount: type == "LSTM" ? 3 : 2)
        var result: [KerasValue] = []
        let returnsStates = layer.flag("return_state", default: false)
        if layer.flag("return_sequences", default: false) {
            let all = try builder.add("Squeeze", [outputs[0], builder.integers([1], "axes")])
            result.append(
                KerasValue(name: try builder.add("Transpose", [all], ["perm": .integers([1, 0, 2])])))
        }
        if result.isEmpty || returnsStates {
            let last = try builder.add("Squeeze", [outputs[1], builder.integers([0], "axes")])
            if result.isEmpty { result.append(KerasValue(name: last)) }
            if returnsStates { result.append(KerasValue(name: last)) }
        }
        if returnsStates, type == "LSTM" {
            result.append(
                KerasValue(name: try builder.add("Squeeze", [outputs[2], builder.integers([0], "axes")])))
        }
        return result
    }

    /// [rows, gates·units] becomes [1, gates·units, rows], the gates in ONNX's order.
    private static func gates(_ kernel: Tensor, _ order: [Int], _ units: Int) throws(KerasRefusal) -> Tensor {
        let rows = kernel.shape[0]
        guard units > 0, units <= KerasLimits.maximumExtent, kernel.shape[1] == order.count * units else {
            throw KerasRefusal("a kernel of shape \(kernel.shape) is not for \(units) units")
        }
        let source = try kernel.permuted([1, 0]).floats
        let block = units * rows
        let elements = order.flatMap { source[$0 * block..<($0 + 1) * block] }
        return try KerasGraphBuilder.tensor(elements, [1, order.count * units, rows])
    }

    /// The input's bias and the state's, which is zero unless Keras has two.
    private static func bias(_ bias: Tensor, _ order: [Int], _ units: Int) throws(KerasRefusal) -> Tensor {
        let count = order.count * units
        var source = try bias.floats
        if source.count == count { source += [Float](repeating: 0, count: count) }
        guard source.count == 2 * count else {
            throw KerasRefusal("a bias of shape \(bias.shape) is not for \(units) units")
        }
        var elements: [Float] = []
        for part in 0..<2 {
            for gate in order {
                let first = part * count + gate * units
                elements += source[first..<first + units]
            }
        }
        return try KerasGraphBuilder.tensor(elements, [1, 2 * count])
    }

    private static func activations(
        _ layer: KerasLayer, _ type: String, _ attributes: inout [String: Attribute]
    ) throws(KerasRefusal) {
        let own = layer.text("activation", default: "tanh")
        let gate = layer.text("recurrent_activation", default: "sigmoid")
        let names = type == "RNN" ? [own] : type == "GRU" ? [gate, own] : [gate, own, own]
        var (functions, alphas, betas): ([String], [Float], [Float]) = ([], [], [])
        for name in names {
            switch name {
            case "tanh": functions.append("Tanh")
            case "sigmoid": functions.append("Sigmoid")
            case "relu": functions.append("Relu")
            case "softsign": functions.append("Softsign")
            case "softplus": functions.append("Softplus")
            case "hard_sigmoid":
                functions.append("HardSigmoid")
                alphas.append(layer.isKeras2 ? 0.2 : 1 / 6)
                betas.append(0.5)
            case "linear":
                functions.append("Affine")
                alphas.append(1)
                betas.append(0)
            default: throw KerasRefusal("its activation '\(name)' is not supported")
            }
        }
        attributes["activations"] = .strings(functions)
        if !alphas.isEmpty {
            attributes["activation_alpha"] = .reals(alphas)
            attributes["activation_beta"] = .reals(betas)
        }
    }

    /// Two layers, one against the time, whose outputs are merged.
    private static func bidirectional(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        guard let inner = layer.config["layer"] else { throw KerasRefusal("it has no layer") }
        let steps = try timeFirst(try sequence(call), &builder)
        let outer = builder.layer
        var outputs: [KerasValue] = []
        for (direction, json) in [("forward", inner), ("backward", layer.config["backward_layer"] ?? inner)] {
            let stated = try KerasLayer.Stated(json)
            let part = KerasLayer(
                stated: stated, weights: layer.weights.child("\(direction)_layer", "\(direction)_*"),
                path: "\(layer.path)/\(direction)", isKeras2: layer.isKeras2)
            try part.require("return_state")
            builder.layer = part.path
            outputs += try run(&builder, part, steps, isReversed: direction == "backward")
        }
        builder.layer = outer
        let names = outputs.map(\.name)
        switch layer.config["merge_mode"]?.string {
        case "concat":
            return try KerasMerges.concatenate(&builder, -1, outputs)
        case "sum": return [KerasValue(name: try builder.add("Add", names))]
        case "mul": return [KerasValue(name: try builder.add("Mul", names))]
        case "ave":
            let sum = try builder.add("Add", names)
            return [KerasValue(name: try builder.add("Div", [sum, try builder.scalar(2, "count")]))]
        case nil: return outputs
        default: throw KerasRefusal("its merge_mode is not supported")
        }
    }
}
