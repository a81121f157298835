import Graph
import Tensors

/// Normalizations.
enum PyTorchNormalization {
    static let operators = [
        PyTorchOperator("aten.batch_norm.default", map: batch),
        PyTorchOperator(
            "aten._native_batch_norm_legit_no_training.default", "aten.native_batch_norm.default",
            "aten._native_batch_norm_legit.no_stats", "aten.cudnn_batch_norm.default",
            "aten.miopen_batch_norm.default", map: batch),
        PyTorchOperator("aten.instance_norm.default", map: instance),
        PyTorchOperator("aten.layer_norm.default", "aten.native_layer_norm.default", map: layer),
        PyTorchOperator("aten.group_norm.default", map: group),
        PyTorchOperator("aten.native_group_norm.default", map: group),
        PyTorchOperator("aten.rms_norm.default", map: rootMeanSquare),
        PyTorchOperator("aten._weight_norm.default") { (call) throws(GraphError) in
            try weight(call, direction: "v", length: "g")
        },
        PyTorchOperator("aten._weight_norm_interface.default") { (call) throws(GraphError) in
            try weight(call, direction: "v", length: "g")
        },
    ]

    private static func batch(_ call: PyTorchCall) throws(GraphError) -> [String] {
        if try call.flag("training") { return try own(call) }
        return try fixed(call)
    }

    /// By its own statistics, which weight standardization takes of weights: what has one item is its own batch.
    private static func own(_ call: PyTorchCall) throws(GraphError) -> [String] {
        guard !call.has("running_mean"), try call.meta("input").dimensions.first == .known(1),
            try call.meta("input").rank >= 3
        else { throw call.refusal(trainingReason) }
        return try normalizedItems(call)
    }

    static let trainingReason = "was exported in training mode: call model.eval() before torch.export.export"

    /// By stored statistics.
    private static func fixed(_ call: PyTorchCall) throws(GraphError) -> [String] {
        guard call.has("running_mean"), call.has("running_var") else {
            throw call.refusal("has no running statistics: it would normalize each batch by its own")
        }
        let channels = try call.meta("running_mean").dimensions
        let type = try call.meta("running_mean").elementType
        let inputs = [
            try call.value("input"), try parameter("weight", 1, channels, type, call),
            try parameter("bias", 0, channels, type, call), try call.value("running_mean"),
            try call.value("running_var"),
        ]
        return try call.result("BatchNormalization", inputs, ["epsilon": try epsilon(call)])
    }

    private static func instance(_ call: PyTorchCall) throws(GraphError) -> [String] {
        guard try call.flag("use_input_stats", default: true) else { return try fixed(call) }
        return try normalizedItems(call)
    }

    private static func normalizedItems(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let meta = try call.meta("input")
        guard meta.rank >= 3 else { throw call.refusal("takes inputs of rank 3 and more") }
        let channels = [meta.dimensions[1]]
        if channels[0].value == nil, !call.has("weight"), !call.has("bias") { return try standardized(call) }
        let inputs = [
            try call.value("input"), try parameter("weight", 1, channels, meta.elementType, call),
            try parameter("bias", 0, channels, meta.elementType, call),
        ]
        return try call.result("InstanceNormalization", inputs, ["epsilon": try epsilon(call)])
    }

    /// (x − mean)/√(variance + ε) over the axes behind the channels, of which there may be any number.
    private static func standardized(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let (input, meta) = (try call.value("input"), try call.meta("input"))
        let axes = call.vector(Array(2..<meta.rank))
        let centred = try call.emit("Sub", [input, call.emit("ReduceMean", [input, axes])])
        let variance = try call.emit("ReduceMean", [call.emit("Mul", [centred, centred]), axes])
        let epsilon = try call.scalar(call.real("eps", default: 1e-5), meta.elementType)
        return try call.result("Div", [centred, call.emit("Sqrt", [call.emit("Add", [variance, epsilon])])])
    }

    private static func layer(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let meta = try call.meta("input")
        let shape = try call.integers("normalized_shape")
        guard !shape.isEmpty, shape.count <= meta.rank else {
            throw call.refusal("normalizes \(shape.count) axes of rank \(meta.rank)")
        }
        let dimensions = shape.map(PyTorchDimension.known)
        var inputs = [
            try call.value("input"), try parameter("weight", 1, dimensions, meta.elementType, call),
        ]
        if let bias = try call.optionalValue("bias") { inputs.append(bias) }
        return try call.result(
            "LayerNormalization", inputs,
            ["axis": .integer(Int64(-shape.count)), "epsilon": try epsilon(call)])
    }

    private static func group(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let meta = try call.meta("input")
        guard meta.rank >= 2 else { throw call.refusal("takes inputs of rank 2 and more") }
        let count = try call.integer(call.has("num_groups") ? "num_groups" : "group")
        let channels = [meta.dimensions[1]]
        let inputs = [
            try call.value("input"), try parameter("weight", 1, channels, meta.elementType, call),
            try parameter("bias", 0, channels, meta.elementType, call),
        ]
        return try call.result(
            "GroupNormalization", inputs,
            ["num_groups": .integer(Int64(count)), "epsilon": try epsilon(call)])
    }

    /// y = x/√(mean(x²) + ε)·weight; without ε it is the smallest step from 1.
    private static func rootMeanSquare(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let meta = try call.meta("input")
        let shape = try call.integers("normalized_shape")
        guard !shape.isEmpty, shape.count <= meta.rank else {
            throw call.refusal("normalizes \(shape.count) axes of rank \(meta.rank)")
        }
        let input = try call.value("input")
        let type = meta.elementType
        let smallest = type == .float64 ? Double.ulpOfOne : Double(Float.ulpOfOne)
        let axes = Array(meta.rank - shape.count..<meta.rank)
        let mean = try call.emit("ReduceMean", [call.emit("Mul", [input, input]), call.vector(axes)])
        let epsilon = try call.scalar(call.real("eps", default: smallest), type)
        let root = try call.emit("Sqrt", [call.emit("Add", [mean, epsilon])])
        guard let weight = try call.optionalValue("weight") else {
            return try call.result("Div", [input, root])
        }
        return try call.result("Mul", [call.emit("Div", [input, root]), weight])
    }

    /// w = v·g/‖v‖, the norm over all axes but one.
    private static func weight(
        _ call: PyTorchCall, direction: String, length: String
    ) throws(GraphError) -> [String] {
        let rank = try call.meta(direction).rank
        let kept = try call.axis("dim", of: direction, default: 0)
        let axes = (0..<rank).filter { $0 != kept }
        let norm = try call.emit("ReduceL2", [call.value(direction), call.vector(axes)])
        let scale = try call.emit("Div", [call.value(length), norm])
        return try call.result("Mul", [call.value(direction), scale])
    }

    // MARK: - Parameters

    private static func epsilon(_ call: PyTorchCall) throws(GraphError) -> Attribute {
        .real(Float(try call.real("eps", default: try call.real("epsilon", default: 1e-5))))
    }

    /// The parameter, or its neutral value where the module has none.
    private static func parameter(
        _ name: String, _ neutral: Double, _ dimensions: [PyTorchDimension], _ type: ElementType,
        _ call: PyTorchCall
    ) throws(GraphError) -> String {
        if let value = try call.optionalValue(name) { return value }
        let extents = dimensions.compactMap(\.value)
        guard extents.count == dimensions.count, let shape = try? Shape(extents),
            shape.count <= PyTorchLimits.maximumFilledElementCount
        else { throw call.refusal("the number of channels must be known") }
        let tensor = PyTorchGraphBuilder.filled(neutral, type, shape)
        let value = call.builder.add(tensor, stem: call.node.name + "/" + name)
        return tensor.elementType == type ? value : try call.cast(value, to: type)
    }
}
