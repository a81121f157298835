import Graph
import Tensors

/// Arithmetic that a functional model does with its tensors: `x * 2 + y`, written as operations of `keras.ops`.
enum KerasOperations {
    /// `nil`: not known.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "Add": [try binary("Add", &builder, call)]
        case "Subtract": [try binary("Sub", &builder, call)]
        case "Multiply": [try binary("Mul", &builder, call)]
        case "Maximum": [try binary("Max", &builder, call)]
        case "Minimum": [try binary("Min", &builder, call)]
        case "Power": [try binary("Pow", &builder, call)]
        case "Divide", "TrueDivide": [try binary("Div", &builder, call)]
        case "Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Exp", "Log", "Sqrt", "Abs":
            [try function(layer.className, &builder, call)]
        case "Absolute": [try function("Abs", &builder, call)]
        case "Negative": [try function("Neg", &builder, call)]
        case "Mean": [try reduced("ReduceMean", layer, call, &builder)]
        case "Sum": [try reduced("ReduceSum", layer, call, &builder)]
        case "Max": [try reduced("ReduceMax", layer, call, &builder)]
        case "Min": [try reduced("ReduceMin", layer, call, &builder)]
        case "Concatenate":
            try KerasMerges.concatenate(&builder, layer.integer("axis", default: 0), call.inputs)
        case "Reshape": [try reshaped(layer, call, &builder)]
        case "Transpose": [try transposed(layer, call, &builder)]
        case "ExpandDims": [try unsqueezed(layer, call, &builder)]
        case "Matmul": [try product(call, &builder)]
        case "Square":
            [
                try binary(
                    "Mul", &builder, KerasCall(arguments: call.arguments + call.arguments))
            ]
        default: try activation(layer, call, &builder).map { [$0] }
        }
    }

    /// The layer that stands for a function of TensorFlow's in files of Keras 2.
    static let tensorFlowFunction = "TFOpLambda"

    /// What keras.ops has for functions of TensorFlow's.
    private static let functions = [
        "__operators__.add": "Add", "math.add": "Add", "math.subtract": "Subtract",
        "math.multiply": "Multiply",
        "math.truediv": "Divide", "math.divide": "Divide", "math.pow": "Power", "math.maximum": "Maximum",
        "math.minimum": "Minimum", "math.negative": "Negative", "math.abs": "Abs", "math.sqrt": "Sqrt",
        "math.exp": "Exp", "math.log": "Log", "math.square": "Square", "math.sigmoid": "Sigmoid",
        "math.tanh": "Tanh", "math.softplus": "Softplus", "math.reduce_mean": "Mean",
        "math.reduce_sum": "Sum",
        "math.reduce_max": "Max", "math.reduce_min": "Min", "nn.relu": "Relu", "nn.relu6": "Relu6",
        "nn.sigmoid": "Sigmoid", "nn.tanh": "Tanh", "nn.silu": "Silu", "nn.selu": "Selu", "nn.elu": "Elu",
        "nn.softmax": "Softmax", "linalg.matmul": "Matmul",
    ]

    /// As `read`, for a function of TensorFlow's: its settings are arguments of the call.
    static func readFunction(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        guard let name = functions[layer.text("function", default: "")] else { return nil }
        var settings = call.keywords
        settings["name"] = nil
        for key in settings.keys where !["axis", "keepdims"].contains(key) && settings[key] != .null {
            throw KerasRefusal("its argument \(key) is not supported")
        }
        let stated = try KerasLayer.Stated(
            .object([
                "class_name": .string(name), "name": .string(layer.stated.name), "config": .object(settings),
            ]))
        let operation = KerasLayer(
            stated: stated, weights: layer.weights, path: layer.path, isKeras2: layer.isKeras2)
        return try read(operation, KerasCall(arguments: call.arguments), &builder)
    }

    /// Activations that a function makes, by the activation's own name.
    private static let activations = [
        "Relu6": "relu6", "Silu": "silu", "Selu": "selu", "HardSigmoid": "hard_sigmoid",
        "HardSilu": "hard_silu",
        "HardTanh": "hard_tanh", "Mish": "mish", "LogSigmoid": "log_sigmoid", "TanhShrink": "tanh_shrink",
        "Squareplus": "squareplus",
    ]

    private static func activation(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue? {
        if let name = activations[layer.className] {
            return try KerasActivations.apply(name, layer, try call.input, &builder)
        }
        switch layer.className {
        case "Elu":
            let alpha = try layer.real("alpha", default: 1)
            return try builder.elementwise("Elu", try call.input, ["alpha": .real(alpha)])
        case "LeakyRelu":
            let slope = try layer.real("negative_slope", default: 0.2)
            return try builder.elementwise("LeakyRelu", try call.input, ["alpha": .real(slope)])
        case "Gelu":
            let form = layer.flag("approximate", default: true) ? "tanh" : "none"
            return try builder.elementwise("Gelu", try call.input, ["approximate": .string(form)])
        case "Softmax", "LogSoftmax":
            let axis = try builder.graphAxis(try layer.integer("axis", default: -1), of: try call.input)
            return try builder.elementwise(
                layer.className, try call.input, ["axis": .integer(Int64(axis))])
        case "Clip":
            return try KerasActivations.clipped(
                try call.input, try layer.real("x_min", default: -.infinity),
                try layer.real("x_max", default: .infinity), &builder)
        default: return nil
        }
    }

    private static func reduced(
        _ type: String, _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        try layer.require("initial")
        let value = try call.input
        let keeps = layer.flag("keepdims", default: false)
        // Without axes it is over all of them, the batch among them.
        let stated = try layer.axes("axis", default: Array(0..<(try builder.rank(value))))
        let staysMoved = value.isMoved && keeps
        let source = staysMoved ? value : KerasValue(name: try builder.own(value))
        var axes: [Int] = []
        for axis in stated { axes.append(try builder.graphAxis(axis, of: source)) }
        let name = try builder.add(
            type, [source.name, builder.integers(axes, "axes")], ["keepdims": .integer(keeps ? 1 : 0)])
        return KerasValue(name: name, isMoved: staysMoved)
    }

    /// To a shape of which the batch is −1, or stays where it is known.
    private static func reshaped(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        guard let shape = layer.config["newshape"]?.integers, shape.count <= KerasLimits.maximumRank,
            shape.allSatisfy({ $0 >= -1 && $0 != 0 && $0 <= KerasLimits.maximumExtent }),
            shape.filter({ $0 == -1 }).count <= 1
        else { throw KerasRefusal("its newshape is not supported") }
        let source = try builder.own(try call.input)
        return KerasValue(name: try builder.add("Reshape", [source, builder.integers(shape, "newshape")]))
    }

    private static func transposed(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let value = try call.input
        let rank = try builder.rank(value)
        var order: [Int] = []
        for axis in try layer.axes("axes", default: (0..<rank).reversed()) {
            order.append(try KerasGraphBuilder.axis(axis, rank: rank))
        }
        guard order.sorted() == Array(0..<rank) else { throw KerasRefusal("its axes are \(order)") }
        let source = try builder.own(value)
        return KerasValue(
            name: try builder.add("Transpose", [source], ["perm": .integers(order.map(Int64.init))]))
    }

    private static func unsqueezed(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let axes = builder.integers(try layer.axes("axis", default: []), "axis")
        return KerasValue(name: try builder.add("Unsqueeze", [try builder.own(try call.input), axes]))
    }

    private static func product(
        _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let values = call.inputs
        guard values.count == 2, call.arguments.count == 2 else {
            throw KerasRefusal("it is called with \(values.count) tensors, expected two")
        }
        return KerasValue(
            name: try builder.add("MatMul", [try builder.own(values[0]), try builder.own(values[1])]))
    }

    private static func function(
        _ type: String, _ builder: inout KerasGraphBuilder, _ call: KerasCall
    ) throws(KerasRefusal) -> KerasValue {
        guard call.arguments.count == 1 else { throw KerasRefusal("it has unknown arguments") }
        return try builder.elementwise(type, try call.input)
    }

    /// Two tensors, or one and a number; axes are aligned from the last one, as in NumPy.
    private static func binary(
        _ type: String, _ builder: inout KerasGraphBuilder, _ call: KerasCall
    ) throws(KerasRefusal) -> KerasValue {
        guard call.arguments.count == 2 else { throw KerasRefusal("it is called with one argument") }
        let values = call.inputs
        var isMoved = values.contains { $0.isMoved }
        if values.count == 2, try builder.rank(values[0]) != builder.rank(values[1]) { isMoved = false }
        var names: [String] = []
        for argument in call.arguments {
            switch argument {
            case .value(let value):
                names.append(isMoved ? try builder.channelsFirst(value) : try builder.own(value))
            case .constant(let json):
                guard let number = json.real else {
                    throw KerasRefusal("an argument is \(json.kind), expected a tensor or a number")
                }
                names.append(try builder.scalar(Float(number), "number"))
            case .values: throw KerasRefusal("an argument is a list, expected a tensor or a number")
            }
        }
        return KerasValue(name: try builder.add(type, names), isMoved: isMoved)
    }
}
