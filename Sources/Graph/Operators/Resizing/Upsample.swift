import Tensors

/// The input enlarged along its axes: Resize's predecessor, with coordinates divided by the scales.
///
/// Inputs: X; scales (float, since 9), one a axis. Outputs: Y, ⌊extent·scale⌋ an axis. Attributes: `mode` (`nearest`,
/// `linear`), `scales` (before 9). Source: ONNX Upsample-7, 9.
package struct Upsample: Operator {
    package static let type = "Upsample"

    private let interpolation: Interpolation
    private let stated: [Double]?

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        interpolation = .asymmetric(try attributes.choice("mode", default: Interpolation.Mode.nearest))
        guard attributes.opset < 9 else {
            stated = nil
            return
        }
        guard let scales = try attributes.reals("scales") else {
            throw .attribute(Self.type, name: "scales", reason: "is required")
        }
        stated = scales.map(Double.init)
    }

    package var inputCount: ClosedRange<Int> { stated == nil ? 2...2 : 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        if interpolation.mode != .nearest { try requireFloating(x, "X") }
        var scales = stated
        if stated == nil {
            let info = try required(inputs, 1, "scales")
            try requireFloating(info, "scales")
            try requireRank(info, "scales", 1)
            scales = info.knownReals
        }
        guard let dimensions = x.dimensions else { return [ValueInfo(x.elementType, nil)] }
        guard let scales else {
            return [ValueInfo(x.elementType, [Dimension](repeating: .unknown, count: dimensions.count))]
        }
        guard scales.count == dimensions.count else {
            throw error("scales has \(scales.count) elements, the input has rank \(dimensions.count)")
        }
        var result: [Dimension] = []
        for (dimension, scale) in zip(dimensions, scales) {
            guard scale >= 1, scale.isFinite else { throw error("a scale is \(scale), expected 1 or more") }
            guard scale != 1, let extent = dimension.value else {
                result.append(scale == 1 ? dimension : .unknown)
                continue
            }
            guard let scaled = Int(exactly: (Double(extent) * scale).rounded(.down)) else {
                throw error("an extent of \(extent) cannot be scaled by \(scale)")
            }
            result.append(.known(scaled))
        }
        return [try output(x.elementType, result)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        let scales: [Double]
        if let stated { scales = stated } else { scales = try reals(inputs, 1, "scales") }
        let axes = scales.enumerated().map { axis, scale in
            scale == 1
                ? nil
                : Interpolation.Axis(
                    input: x.shape[axis], output: target[axis], scale: scale, region: (0, 1))
        }
        return [interpolation.resample(x, axes: axes, to: target, extrapolation: 0)]
    }
}
