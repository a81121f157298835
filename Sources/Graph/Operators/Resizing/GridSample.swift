import Glibc
import Tensors

/// The input sampled where a grid says, by interpolation.
///
/// Inputs: X [N, C, D1…Dr], any type; grid [N, O1…Or, r], floating: positions from −1 to 1, the last axis of X first.
/// Outputs: Y [N, C, O1…Or]; integers are interpolated as reals and truncated.
/// Attributes: `mode` (`linear`, `nearest`, `cubic`; before 20, when r is 2, `bilinear`, `nearest`, `bicubic`),
/// `padding_mode` (`zeros`, `border`, `reflection`) and `align_corners` (0: −1 and 1 are the edges of the outermost
/// elements; 1: their middles). Source: Jaderberg et al. 2015; ONNX GridSample-16, 20, 22.
package struct GridSample: Operator {
    private enum PlanarMode: String, CaseIterable { case bilinear, nearest, bicubic }
    private enum Padding: String, CaseIterable, Sendable { case zeros, border, reflection }

    /// The elements of one axis that a position is made of: their coordinates, −1 for a zero, and weights.
    private typealias Taps = (coordinates: [Int], weights: [Double])

    package static let type = "GridSample"

    /// Each axis multiplies the elements behind a position by up to 4.
    private static let maximumSpatialRank = 6

    private let interpolation: Interpolation
    private let padding: Padding
    private let alignsCorners: Bool
    private let isPlanar: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        isPlanar = attributes.opset < 20
        var mode = Interpolation.Mode.nearest
        if isPlanar {
            switch try attributes.choice("mode", default: PlanarMode.bilinear) {
            case .bilinear: mode = .linear
            case .bicubic: mode = .cubic
            case .nearest: break
            }
        } else {
            mode = try attributes.choice("mode", default: .linear)
        }
        interpolation = .asymmetric(mode)
        padding = try attributes.choice("padding_mode", default: Padding.zeros)
        alignsCorners = try attributes.flag("align_corners", default: false)
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, grid) = (try required(inputs, 0, "X"), try required(inputs, 1, "grid"))
        try requireFloating(grid, "grid")
        let ranks = isPlanar ? 4...4 : 3...Self.maximumSpatialRank + 2
        try requireRank(x, "X", ranks)
        try requireRank(grid, "grid", ranks)
        guard let rank = x.rank ?? grid.rank else { return [ValueInfo(x.elementType, nil)] }
        try requireRank(x, "X", rank)
        try requireRank(grid, "grid", rank)
        if let count = grid.dimensions?[rank - 1].value, count != rank - 2 {
            throw error("grid has \(count) coordinates a position, X has \(rank - 2) spatial axes")
        }
        let images = x.dimensions?[0] ?? .unknown
        guard let batch = images.unified(with: grid.dimensions?[0] ?? .unknown) else {
            throw error("X has \(images) images, grid is for \(grid.dimensions?[0] ?? .unknown)")
        }
        let positions =
            grid.dimensions.map { $0[1..<rank - 1] } ?? .init(repeating: .unknown, count: rank - 2)
        return [try output(x.elementType, [batch, x.dimensions?[1] ?? .unknown] + positions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        let grid = try reals(inputs, 1, "grid")
        guard target.count == 0 || !x.shape.dimensions.contains(0) else {
            throw error("X \(x.shape) has no elements to sample")
        }
        switch x.elements {
        case .integers(let values) where interpolation.mode == .nearest:
            var result = [Int64](repeating: 0, count: target.count)
            forEachSample(grid, x.shape, target) { target, base, offsets, _ in
                if let offset = offsets.first { result[target] = values[base + offset] }
            }
            return [ExactTensor(integers: result, shape: target, elementType: x.elementType)]
        case .integers(let values):
            let order = IntegerOrder(x.elementType)
            let result = sampled(values.map { order.double($0) }, grid, x.shape, target)
            return [
                ExactTensor(reals: result, shape: target, elementType: .float64).truncated(to: x.elementType)
            ]
        case .reals(let values):
            let result = sampled(values, grid, x.shape, target)
            return [ExactTensor(reals: result, shape: target, elementType: x.elementType)]
        }
    }

    private func sampled(_ values: [Double], _ grid: [Double], _ shape: Shape, _ target: Shape) -> [Double] {
        var result = [Double](repeating: 0, count: target.count)
        forEachSample(grid, shape, target) { target, base, offsets, weights in
            for (offset, weight) in zip(offsets, weights) { result[target] += weight * values[base + offset] }
        }
        return result
    }

    /// Calls `body` for each element of the output with its position, where its channel begins, and the offsets in the
    /// channel and the weights of the elements that it is made of.
    private func forEachSample(
        _ grid: [Double], _ shape: Shape, _ target: Shape,
        _ body: (_ target: Int, _ base: Int, _ offsets: [Int], _ weights: [Double]) -> Void
    ) {
        guard target.count > 0 else { return }
        let rank = shape.rank - 2
        let strides = shape.strides
        let positions = target.dimensions.dropFirst(2).reduce(1, *)
        let channelStride = shape.dimensions.dropFirst(2).reduce(1, *)
        for position in 0..<target[0] * positions {
            var (offsets, weights) = ([0], [1.0])
            for axis in 0..<rank {
                let taps = taps(grid[(position + 1) * rank - 1 - axis], extent: shape[axis + 2])
                var (nextOffsets, nextWeights): ([Int], [Double]) = ([], [])
                for (offset, weight) in zip(offsets, weights) {
                    for (coordinate, own) in zip(taps.coordinates, taps.weights) where coordinate >= 0 {
                        nextOffsets.append(offset + coordinate * strides[axis + 2])
                        nextWeights.append(weight * own)
                    }
                }
                (offsets, weights) = (nextOffsets, nextWeights)
            }
            let (image, place) = position.quotientAndRemainder(dividingBy: positions)
            for channel in image * shape[1]..<(image + 1) * shape[1] {
                body(channel * positions + place, channel * channelStride, offsets, weights)
            }
        }
    }

    private func taps(_ coordinate: Double, extent: Int) -> Taps {
        let size = Double(extent)
        var position =
            alignsCorners ? (coordinate + 1) / 2 * (size - 1) : ((coordinate + 1) * size - 1) / 2
        if interpolation.mode == .nearest { position = position.rounded(.toNearestOrEven) }
        let (least, greatest) = bounds(extent)
        if !(position >= least && position <= greatest) {
            switch padding {
            case .zeros: break
            // A cubic kernel still weighs the elements inside by their distance: PyTorch moves its taps, not the position.
            case .border where interpolation.mode == .cubic: break
            case .border: position = min(size - 1, max(0, position))
            case .reflection: position = reflected(position, extent)
            }
        }
        // A position far outside is as good as one just outside every kernel, and one that is no number is outside.
        position = position.isNaN ? -8 : min(size + 8, max(-8, position))
        let base = Int(position.rounded(.down))
        guard interpolation.mode != .nearest else { return ([pixel(base, extent)], [1]) }
        let offsets = interpolation.mode == .linear ? 0...1 : -1...2
        return (
            offsets.map { pixel(base + $0, extent) },
            offsets.map { interpolation.kernel(Double(base + $0) - position) }
        )
    }

    /// The element that stands at a coordinate; −1 for zero.
    private func pixel(_ coordinate: Int, _ extent: Int) -> Int {
        if (0..<extent).contains(coordinate) { return coordinate }
        switch padding {
        case .zeros: return -1
        case .border: return coordinate < 0 ? 0 : extent - 1
        case .reflection: return min(extent - 1, max(0, Int(reflected(Double(coordinate), extent))))
        }
    }

    private func bounds(_ extent: Int) -> (least: Double, greatest: Double) {
        alignsCorners ? (0, Double(extent) - 1) : (-0.5, Double(extent) - 0.5)
    }

    /// Mirrored at both bounds as often as it takes.
    private func reflected(_ position: Double, _ extent: Int) -> Double {
        let (least, greatest) = bounds(extent)
        let span = greatest - least
        guard span > 0, position.isFinite else { return 0 }
        let distance = fmod((position - least).magnitude, 2 * span)
        return distance <= span ? least + distance : greatest - (distance - span)
    }
}
