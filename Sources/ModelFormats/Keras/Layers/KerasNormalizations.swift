import Graph
import Tensors

/// Normalizations. A batch normalization stays one, for the folder to see.
enum KerasNormalizations {
    /// `nil`: another family's layer.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "BatchNormalization", "SyncBatchNormalization", "BatchNormalizationV1":
            try batch(&builder, layer, call)
        case "LayerNormalization": try overLastAxes(&builder, layer, call)
        case "GroupNormalization": try group(&builder, layer, call)
        case "UnitNormalization": try unit(&builder, layer, call)
        case "RMSNormalization": try rootMeanSquare(&builder, layer, call)
        default: nil
        }
    }

    /// Its weights are gamma and beta, without the one that is off, then mean and variance.
    private static func batch(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try call.input
        let rank = try builder.rank(value)
        let axes = try layer.axes("axis", default: [-1])
        guard axes.count == 1 else { throw KerasRefusal("several axes are not supported") }
        let axis = try KerasGraphBuilder.axis(axes[0], rank: rank)
        guard axis == rank - 1 || axis == 1 else {
            throw KerasRefusal("axis \(axes[0]) of \(rank) dimensions is not supported")
        }
        let isMoved = axis == rank - 1 && rank > 2
        let source = isMoved ? try builder.channelsFirst(value) : try builder.own(value)
        let channels = try builder.extent(value, axis)
        let (scale, shift, next) = try scaleAndShift(layer, count: channels)
        let mean = try layer.weights.tensor(next, "moving_mean", rank: 1)
        let variance = try layer.weights.tensor(next + 1, "moving_variance", rank: 1)
        let parameters = [
            (scale, "gamma"), (shift, "beta"), (mean, "moving_mean"), (variance, "moving_variance"),
        ]
        .map { builder.constant($0.0, $0.1) }
        let name = try builder.add(
            "BatchNormalization", [source] + parameters,
            ["epsilon": .real(try layer.real("epsilon", default: 1e-3))])
        return [KerasValue(name: name, isMoved: isMoved)]
    }

    /// Gamma or ones, beta or zeros, and the number of weights that these are in the file.
    private static func scaleAndShift(
        _ layer: KerasLayer, count: Int
    ) throws(KerasRefusal) -> (scale: Tensor, shift: Tensor, weightCount: Int) {
        var index = 0
        var parts: [Tensor] = []
        for (key, name, value) in [("scale", "gamma", Float(1)), ("center", "beta", Float(0))] {
            if layer.flag(key, default: true) {
                parts.append(try layer.weights.tensor(index, name))
                index += 1
            } else {
                guard count <= KerasLimits.maximumNeutralCount else {
                    throw KerasRefusal("it normalizes \(count) elements without a \(name)")
                }
                parts.append(Tensor([Float](repeating: value, count: count)))
            }
        }
        return (parts[0], parts[1], index)
    }

    /// The axes that it normalizes over, which must be the last ones.
    private static func lastAxes(_ layer: KerasLayer, rank: Int) throws(KerasRefusal) -> [Int] {
        var axes: [Int] = []
        for axis in try layer.axes("axis", default: [-1]) {
            axes.append(try KerasGraphBuilder.axis(axis, rank: rank))
        }
        axes.sort()
        guard let first = axes.first, first > 0, axes == Array(first..<rank) else {
            throw KerasRefusal("axes other than the last ones are not supported")
        }
        return axes
    }

    /// Over the last axes.
    private static func overLastAxes(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        try layer.require("rms_scaling")
        let value = try call.input
        let dimensions = try builder.dimensions(value)
        let rank = dimensions.count
        let axes = try lastAxes(layer, rank: rank)
        let count = axes.reduce(1) { count, axis in
            count.multipliedReportingOverflow(by: dimensions[axis].value ?? 0).partialValue
        }
        guard count > 0, count <= KerasLimits.maximumExtent else {
            throw KerasRefusal("the extents of the axes that it normalizes are not stated")
        }
        let shape = axes.map { dimensions[$0].value ?? 0 }
        let (scale, shift, _) = try scaleAndShift(layer, count: count)
        let parameters = [
            builder.constant(try scale.withShape(shape), "gamma"),
            builder.constant(try shift.withShape(shape), "beta"),
        ]
        let name = try builder.add(
            "LayerNormalization", [try builder.own(value)] + parameters,
            [
                "axis": .integer(Int64(-axes.count)),
                "epsilon": .real(try layer.real("epsilon", default: 1e-3)),
            ])
        return [KerasValue(name: name)]
    }

    /// −1 groups are one for each channel.
    private static func group(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try call.input
        let rank = try builder.rank(value)
        let axis = try KerasGraphBuilder.axis(try layer.axes("axis", default: [-1]).first ?? -1, rank: rank)
        guard rank > 1, axis == rank - 1 || axis == 1 else { throw KerasRefusal("its axis is not supported") }
        let isMoved = axis == rank - 1 && rank > 2
        let source = isMoved ? try builder.channelsFirst(value) : try builder.own(value)
        let channels = try builder.extent(value, axis)
        let groups = try layer.integer("groups", default: 32)
        let (scale, shift, _) = try scaleAndShift(layer, count: channels)
        let name = try builder.add(
            "GroupNormalization",
            [source, builder.constant(scale, "gamma"), builder.constant(shift, "beta")],
            [
                "num_groups": .integer(Int64(groups == -1 ? channels : groups)),
                "epsilon": .real(try layer.real("epsilon", default: 1e-3)),
            ])
        return [KerasValue(name: name, isMoved: isMoved)]
    }

    /// x/√(mean(x²) + ε)·scale over the last axes.
    private static func rootMeanSquare(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try call.input
        let rank = try builder.rank(value)
        let axes = try lastAxes(layer, rank: rank)
        let scale = try layer.weights.tensor(0, "scale", rank: axes.count)
        let source = try builder.own(value)
        let squares = try builder.add("Mul", [source, source])
        let mean = try builder.add("ReduceMean", [squares, builder.integers(axes, "axes")])
        let epsilon = try builder.scalar(try layer.real("epsilon", default: 1e-6), "epsilon")
        let root = try builder.add("Sqrt", [try builder.add("Add", [mean, epsilon])])
        let normalized = try builder.add("Div", [source, root])
        return [KerasValue(name: try builder.add("Mul", [normalized, builder.constant(scale, "scale")]))]
    }

    private static func unit(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try call.input
        var axes: [Int] = []
        for axis in try layer.axes("axis", default: [-1]) {
            axes.append(try builder.graphAxis(axis, of: value))
        }
        return [try unit(value, axes: axes, least: 1e-12, &builder)]
    }

    /// x/max(‖x‖, least); the axes are the graph's.
    static func unit(
        _ value: KerasValue, axes: [Int], least: Float, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let norm = try builder.add("ReduceL2", [value.name, builder.integers(axes, "axes")])
        let divisor = try builder.add("Max", [norm, try builder.scalar(least, "epsilon")])
        return KerasValue(name: try builder.add("Div", [value.name, divisor]), isMoved: value.isMoved)
    }
}
