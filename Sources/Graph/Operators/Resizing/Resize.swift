import Tensors

/// The input resampled along its axes.
///
/// Inputs: X; since 11 roi (for `tf_crop_and_resize`), scales (float) or sizes (int64), one of these two, an element for
/// each of `axes`; in 10 scales. Outputs: Y, ⌊extent·scale⌋ or the size an axis. Types: any for `nearest`, else floating.
/// Attributes: `mode` (`nearest`, `linear`, `cubic`); since 11 `coordinate_transformation_mode`, `nearest_mode`,
/// `cubic_coeff_a`, `exclude_outside`, `extrapolation_value`; since 18 `antialias`, `axes`, `keep_aspect_ratio_policy`.
/// Source: ONNX Resize-10, 11, 13, 18, 19.
package struct Resize: Operator {
    private enum AspectPolicy: String, CaseIterable, Sendable {
        case stretch
        case notLarger = "not_larger"
        case notSmaller = "not_smaller"
    }

    package static let type = "Resize"

    private let interpolation: Interpolation
    private let extrapolationValue: Double
    private let axes: [Int]?
    private let policy: AspectPolicy
    private let opset: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        opset = attributes.opset
        let mode = try attributes.choice("mode", default: Interpolation.Mode.nearest)
        guard opset >= 11 else {
            interpolation = .asymmetric(mode)
            (extrapolationValue, axes, policy) = (0, nil, .stretch)
            return
        }
        var antialiases = false
        if opset >= 18 {
            antialiases = try attributes.flag("antialias", default: false)
            axes = try attributes.integers("axes")
            policy = try attributes.choice("keep_aspect_ratio_policy", default: AspectPolicy.stretch)
        } else {
            (axes, policy) = (nil, .stretch)
        }
        interpolation = Interpolation(
            mode: mode,
            coordinates: try attributes.choice("coordinate_transformation_mode", default: .halfPixel),
            nearestMode: try attributes.choice("nearest_mode", default: .roundPreferFloor),
            cubicCoefficient: Double(try attributes.real("cubic_coeff_a", default: -0.75)),
            excludesOutside: try attributes.flag("exclude_outside", default: false),
            antialiases: antialiases)
        extrapolationValue = Double(try attributes.real("extrapolation_value", default: 0))
    }

    package var inputCount: ClosedRange<Int> { opset < 11 ? 2...2 : opset < 13 ? 3...4 : 1...4 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        if interpolation.mode != .nearest { try requireFloating(x, "X") }
        guard let dimensions = x.dimensions else { return [ValueInfo(x.elementType, nil)] }
        let axes =
            try axes.map { (axes) throws(GraphError) in try normalized(axes, rank: dimensions.count) }
            ?? Array(dimensions.indices)
        if interpolation.coordinates == .tensorflowCropAndResize {
            let roi = try required(inputs, 1, "roi")
            if let numbers = roi.knownReals, numbers.count != 2 * axes.count {
                throw error("roi has \(numbers.count) elements, expected \(2 * axes.count)")
            }
        }
        var result = dimensions
        if let sizes = try given(inputs, 3, "sizes") {
            let elements = sizes.elements ?? [Dimension](repeating: .unknown, count: axes.count)
            guard elements.count == axes.count else {
                throw error("sizes has \(elements.count) elements, expected \(axes.count)")
            }
            for (axis, size) in zip(axes, elements) {
                if let size = size.value, size < 0 { throw error("a size is \(size)") }
                result[axis] = size
            }
            if policy != .stretch { try keepAspect(dimensions, axes, &result) }
        } else if let scales = try given(inputs, opset < 11 ? 1 : 2, "scales") {
            guard let factors = scales.knownReals else {
                for axis in axes { result[axis] = .unknown }
                return [ValueInfo(x.elementType, result)]
            }
            guard factors.count == axes.count else {
                throw error("scales has \(factors.count) elements, expected \(axes.count)")
            }
            for (axis, factor) in zip(axes, factors) { result[axis] = try scaled(dimensions[axis], factor) }
        } else {
            throw error("neither scales nor sizes are given")
        }
        for axis in axes {
            if dimensions[axis] == .known(0), let extent = result[axis].value, extent > 0 {
                throw error("axis \(axis) has no elements to make \(extent) of")
            }
        }
        return [try output(x.elementType, result)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        let resized = try resizedAxes(inputs, x.shape, target)
        return [
            interpolation.resample(x, axes: resized, to: target, extrapolation: extrapolationValue)
        ]
    }

    /// What each output coordinate of an axis is made of, for the axes that change; `nil` when the attributes ask for an
    /// extrapolation. Of `inputs`, the first is not read.
    package func taps(
        _ inputs: [ExactTensor?], from shape: Shape, to target: Shape
    ) throws(GraphError) -> [[Interpolation.Taps]?]? {
        guard interpolation.coordinates != .tensorflowCropAndResize, shape.count > 0 else { return nil }
        return try resizedAxes(inputs, shape, target).map { axis in axis.map { interpolation.taps($0) } }
    }

    /// An input that is there and has elements: an empty tensor stands for an absent one.
    private func given(_ inputs: [ValueInfo?], _ index: Int, _ name: String) throws(GraphError) -> ValueInfo?
    {
        guard let info = try optional(inputs, index, name) else { return nil }
        if name == "sizes" { try requireType(info, name, .int64) } else { try requireFloating(info, name) }
        try requireRank(info, name, 1)
        return info.dimensions?[0] == .known(0) ? nil : info
    }

    /// Gives all resized axes the scale of the one that `sizes` shrinks most, or least.
    private func keepAspect(
        _ dimensions: [Dimension], _ axes: [Int], _ result: inout [Dimension]
    ) throws(GraphError) {
        guard let scale = aspectScale(dimensions, axes, result) else {
            for axis in axes { result[axis] = .unknown }
            return
        }
        for axis in axes {
            let extent = Double(dimensions[axis].value ?? 0)
            guard let rounded = Int(exactly: (scale * extent + 0.5).rounded(.down)) else {
                throw error("an extent of \(extent) cannot be scaled by \(scale)")
            }
            result[axis] = .known(rounded)
        }
    }

    private func aspectScale(_ dimensions: [Dimension], _ axes: [Int], _ sizes: [Dimension]) -> Double? {
        var scales: [Double] = []
        for axis in axes {
            guard let extent = dimensions[axis].value, extent > 0, let size = sizes[axis].value else {
                return nil
            }
            scales.append(Double(size) / Double(extent))
        }
        return policy == .notLarger ? scales.min() : scales.max()
    }

    private func scaled(_ dimension: Dimension, _ factor: Double) throws(GraphError) -> Dimension {
        guard factor > 0, factor.isFinite else { throw error("a scale is \(factor)") }
        if factor == 1 { return dimension }
        guard let extent = dimension.value else { return .unknown }
        guard let result = Int(exactly: (Double(extent) * factor).rounded(.down)) else {
            throw error("an extent of \(extent) cannot be scaled by \(factor)")
        }
        return .known(result)
    }

    /// What becomes of each axis; `nil` for one that stays as it is.
    private func resizedAxes(
        _ inputs: [ExactTensor?], _ shape: Shape, _ target: Shape
    ) throws(GraphError) -> [Interpolation.Axis?] {
        let axes =
            try axes.map { (axes) throws(GraphError) in try normalized(axes, rank: shape.rank) }
            ?? Array(0..<shape.rank)
        let hasSizes = inputs.count > 3 && (inputs[3]?.shape.count ?? 0) > 0
        var scales: [Double]?
        if !hasSizes { scales = try reals(inputs, opset < 11 ? 1 : 2, "scales") }
        var common: Double?
        if hasSizes, policy != .stretch {
            let sizes = try integers(inputs, 3, "sizes")
            var requested = shape.dimensions.map(Dimension.known)
            for (axis, size) in zip(axes, sizes) { requested[axis] = .known(Int(size)) }
            common = aspectScale(shape.dimensions.map(Dimension.known), axes, requested)
        }
        let isCropped = interpolation.coordinates == .tensorflowCropAndResize
        let region = isCropped ? try reals(inputs, 1, "roi") : []
        guard !isCropped || region.count == 2 * axes.count else {
            throw error("roi has \(region.count) elements, expected \(2 * axes.count)")
        }
        var result = [Interpolation.Axis?](repeating: nil, count: shape.rank)
        for (index, axis) in axes.enumerated() {
            let scale = scales?[index] ?? common ?? Double(target[axis]) / Double(max(1, shape[axis]))
            let part =
                isCropped ? (start: region[index], end: region[index + axes.count]) : (start: 0, end: 1)
            if scale == 1, part == (0, 1) { continue }
            result[axis] = Interpolation.Axis(
                input: shape[axis], output: target[axis], scale: scale, region: part)
        }
        return result
    }
}
