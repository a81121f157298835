import Graph
import Tensors

/// Activations: layers of their own, and the `activation` of another layer.
enum KerasActivations {
    /// `nil`: another family's layer.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "Activation": [try apply(layer, try call.input, &builder)]
        case "ReLU": try relu(&builder, layer, call)
        case "LeakyReLU": try leakyRelu(&builder, layer, call)
        case "PReLU": try prelu(&builder, layer, call)
        case "ELU": [try scaled("Elu", try layer.real("alpha", default: 1), call, &builder)]
        case "ThresholdedReLU":
            [try scaled("ThresholdedRelu", try layer.real("theta", default: 1), call, &builder)]
        case "Softmax": [try softmax(layer, call, &builder)]
        default: nil
        }
    }

    private static func scaled(
        _ type: String, _ alpha: Float, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        try builder.elementwise(type, try call.input, ["alpha": .real(alpha)])
    }

    private static func softmax(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let (value, axes) = (try call.input, try layer.axes("axis", default: [-1]))
        if axes.count == 1 { return try softmax("Softmax", axes[0], value, &builder) }
        var own: [Int] = []
        for axis in axes { own.append(try builder.graphAxis(axis, of: value)) }
        // exp(x − ln Σ exp x), the sum over all of the axes.
        let sum = try builder.add("ReduceLogSumExp", [value.name, builder.integers(own, "axes")])
        let logarithm = try builder.add("Sub", [value.name, sum])
        return KerasValue(name: try builder.add("Exp", [logarithm]), isMoved: value.isMoved)
    }

    /// What a layer's `activation` makes of its value.
    static func apply(
        _ layer: KerasLayer, _ value: KerasValue, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        guard let stated = layer.config["activation"] else { return value }
        if let name = stated.string { return try apply(name, layer, value, &builder) }
        guard let className = stated["class_name"]?.string else {
            throw KerasRefusal("its activation is \(stated.kind), expected a name")
        }
        // A function by its name, or a layer as an activation.
        if className == "function", let name = stated["config"]?.string {
            return try apply(name, layer, value, &builder)
        }
        let inner = KerasLayer(
            stated: try KerasLayer.Stated(stated), weights: layer.weights.child("activation", nil),
            path: layer.path + "/activation", isKeras2: layer.isKeras2)
        guard ["ReLU", "LeakyReLU", "ELU", "Softmax", "Activation", "ThresholdedReLU"].contains(className),
            layer.path.utf8.count <= maximumPathByteCount,
            let result = try read(inner, KerasCall(value), &builder)?.first
        else { throw KerasRefusal("its activation \(className) is not supported") }
        return result
    }

    /// Bounds activations within activations.
    private static let maximumPathByteCount = 4_096

    /// The activation of this name.
    static func apply(
        _ name: String, _ layer: KerasLayer, _ value: KerasValue, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        switch name {
        case "linear": return value
        case "relu": return try builder.elementwise("Relu", value)
        case "relu6": return try clipped(value, 0, 6, &builder)
        case "sigmoid": return try builder.elementwise("Sigmoid", value)
        case "tanh": return try builder.elementwise("Tanh", value)
        case "elu": return try builder.elementwise("Elu", value)
        case "selu": return try builder.elementwise("Selu", value)
        case "celu": return try builder.elementwise("Celu", value)
        case "softplus": return try builder.elementwise("Softplus", value)
        case "softsign": return try builder.elementwise("Softsign", value)
        case "exponential": return try builder.elementwise("Exp", value)
        case "mish": return try builder.elementwise("Mish", value)
        case "gelu": return try builder.elementwise("Gelu", value)
        case "hard_shrink": return try builder.elementwise("Shrink", value)
        case "soft_shrink": return try builder.elementwise("Shrink", value, ["bias": .real(0.5)])
        case "tanh_shrink":
            let tanh = try builder.elementwise("Tanh", value)
            return KerasValue(name: try builder.add("Sub", [value.name, tanh.name]), isMoved: value.isMoved)
        case "squareplus": return try squarePlus(value, &builder)
        case "glu": return try gatedLinear(value, &builder)
        case "leaky_relu": return try builder.elementwise("LeakyRelu", value, ["alpha": .real(0.2)])
        case "hard_sigmoid":
            return try builder.elementwise(
                "HardSigmoid", value, ["alpha": .real(layer.isKeras2 ? 0.2 : 1 / 6), "beta": .real(0.5)])
        case "hard_silu", "hard_swish": return try builder.elementwise("HardSwish", value)
        case "hard_tanh": return try clipped(value, -1, 1, &builder)
        case "silu", "swish":
            let gate = try builder.elementwise("Sigmoid", value)
            return KerasValue(name: try builder.add("Mul", [value.name, gate.name]), isMoved: value.isMoved)
        case "log_sigmoid":
            let negative = try builder.elementwise("Neg", value)
            return try builder.elementwise("Neg", try builder.elementwise("Softplus", negative))
        case "softmax": return try softmax("Softmax", -1, value, &builder)
        case "log_softmax": return try softmax("LogSoftmax", -1, value, &builder)
        default: throw KerasRefusal("its activation '\(name)' is not supported")
        }
    }

    private static func softmax(
        _ type: String, _ axis: Int, _ value: KerasValue, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let axis = try builder.graphAxis(axis, of: value)
        return try builder.elementwise(type, value, ["axis": .integer(Int64(axis))])
    }

    /// (x + √(x² + 4))/2.
    private static func squarePlus(
        _ value: KerasValue, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let square = try builder.add("Mul", [value.name, value.name])
        let raised = try builder.add("Add", [square, try builder.scalar(4, "b")])
        let sum = try builder.add("Add", [value.name, try builder.add("Sqrt", [raised])])
        let half = try builder.scalar(0.5, "half")
        return KerasValue(name: try builder.add("Mul", [sum, half]), isMoved: value.isMoved)
    }

    /// The first half of the last axis times the sigmoid of the second.
    private static func gatedLinear(
        _ value: KerasValue, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let axis = try builder.graphAxis(-1, of: value)
        let halves = try builder.addNode(
            "Split", [value.name], ["axis": .integer(Int64(axis)), "num_outputs": .integer(2)], outputCount: 2
        )
        let gate = try builder.add("Sigmoid", [halves[1]])
        return KerasValue(name: try builder.add("Mul", [halves[0], gate]), isMoved: value.isMoved)
    }

    static func clipped(
        _ value: KerasValue, _ minimum: Float?, _ maximum: Float?, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        var inputs: [String?] = [value.name, nil, nil]
        if let minimum { inputs[1] = try builder.scalar(minimum, "minimum") }
        if let maximum { inputs[2] = try builder.scalar(maximum, "maximum") }
        return KerasValue(name: try builder.add("Clip", inputs), isMoved: value.isMoved)
    }

    private static func relu(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try call.input
        let threshold = try layer.real("threshold", default: 0)
        let slope = try layer.real("negative_slope", default: 0)
        var maximum: Float?
        if layer.config["max_value"] != nil { maximum = try layer.real("max_value", default: 0) }
        guard threshold == 0 else {
            return [try relu(value, above: threshold, slope: slope, maximum, &builder)]
        }
        if slope == 0 {
            if let maximum { return [try clipped(value, 0, maximum, &builder)] }
            return [try builder.elementwise("Relu", value)]
        }
        let leaky = try builder.elementwise("LeakyRelu", value, ["alpha": .real(slope)])
        guard let maximum else { return [leaky] }
        return [try clipped(leaky, nil, maximum, &builder)]
    }

    /// x above the threshold, else slope·(x − threshold).
    private static func relu(
        _ value: KerasValue, above threshold: Float, slope: Float, _ maximum: Float?,
        _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let isAbove = try builder.add("Greater", [value.name, try builder.scalar(threshold, "threshold")])
        let kept = try builder.add("Where", [isAbove, value.name, try builder.scalar(0, "zero")])
        var result = KerasValue(name: kept, isMoved: value.isMoved)
        if let maximum { result = try clipped(result, 0, maximum, &builder) }
        guard slope != 0 else { return result }
        let below = try builder.add("Sub", [try builder.scalar(threshold, "threshold"), value.name])
        let negative = try builder.add(
            "Mul", [try builder.add("Relu", [below]), try builder.scalar(slope, "negative_slope")])
        return KerasValue(name: try builder.add("Sub", [result.name, negative]), isMoved: value.isMoved)
    }

    private static func leakyRelu(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let slope = try layer.real("negative_slope", default: try layer.real("alpha", default: 0.3))
        return [try builder.elementwise("LeakyRelu", try call.input, ["alpha": .real(slope)])]
    }

    /// Its slopes have the input's shape without the batch, 1 along shared axes.
    private static func prelu(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try call.input
        let rank = try builder.rank(value)
        var alpha = try layer.weights.tensor(0, "alpha", rank: rank - 1)
        if value.isMoved { alpha = try alpha.permuted([rank - 2] + Array(0..<rank - 2)) }
        let slope = builder.constant(alpha, "alpha")
        return [KerasValue(name: try builder.add("PRelu", [value.name, slope]), isMoved: value.isMoved)]
    }
}

extension KerasGraphBuilder {
    /// A node that leaves the axes as they are.
    mutating func elementwise(
        _ type: String, _ value: KerasValue, _ attributes: [String: Attribute] = [:]
    ) throws(KerasRefusal) -> KerasValue {
        KerasValue(name: try add(type, [value.name], attributes), isMoved: value.isMoved)
    }
}
