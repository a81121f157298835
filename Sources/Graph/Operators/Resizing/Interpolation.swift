import Glibc

/// How Resize finds the input elements behind each output coordinate of one axis, and their weights.
package struct Interpolation: Sendable {
    enum Mode: String, CaseIterable, Sendable {
        case nearest, linear, cubic
    }

    enum Coordinates: String, CaseIterable, Sendable {
        case halfPixel = "half_pixel"
        case halfPixelSymmetric = "half_pixel_symmetric"
        case pytorchHalfPixel = "pytorch_half_pixel"
        case alignCorners = "align_corners"
        case asymmetric
        case tensorflowHalfPixelForNearest = "tf_half_pixel_for_nn"
        case tensorflowCropAndResize = "tf_crop_and_resize"
    }

    enum NearestMode: String, CaseIterable, Sendable {
        case roundPreferFloor = "round_prefer_floor"
        case roundPreferCeil = "round_prefer_ceil"
        case floor, ceil
    }

    /// One axis to be resized.
    struct Axis {
        let input: Int
        let output: Int
        let scale: Double
        /// The part of the axis that is resized, from 0 to 1, for `tensorflowCropAndResize`.
        let region: (start: Double, end: Double)
    }

    /// The elements that one output coordinate is made of.
    package struct Taps: Sendable {
        package let indices: [Int]
        package let weights: [Double]
        /// Whether the coordinate lies outside the input, where the extrapolation value stands.
        let isOutside: Bool
    }

    let mode: Mode
    let coordinates: Coordinates
    let nearestMode: NearestMode
    let cubicCoefficient: Double
    /// Whether weights outside the input are left out and the others made to add up to 1.
    let excludesOutside: Bool
    /// Whether the kernel is widened when an axis shrinks.
    let antialiases: Bool

    /// The taps of each output coordinate; the axis must have input elements.
    func taps(_ axis: Axis) -> [Taps] { (0..<axis.output).map { taps(axis, at: $0) } }

    /// Where an output coordinate lies on the input's axis.
    func source(_ axis: Axis, at coordinate: Int) -> Double {
        let x = Double(coordinate)
        let (input, output) = (Double(axis.input), axis.scale * Double(axis.input))
        switch coordinates {
        case .halfPixel: return (x + 0.5) / axis.scale - 0.5
        case .halfPixelSymmetric:
            // The middle of the output is the middle of the input, also where the extent was rounded.
            return input / 2 * (1 - Double(axis.output) / output) + (x + 0.5) / axis.scale - 0.5
        case .pytorchHalfPixel: return output > 1 ? (x + 0.5) / axis.scale - 0.5 : 0
        case .alignCorners: return output == 1 ? 0 : x * (input - 1) / (output - 1)
        case .asymmetric: return x / axis.scale
        case .tensorflowHalfPixelForNearest: return (x + 0.5) / axis.scale
        case .tensorflowCropAndResize:
            let (start, end) = axis.region
            return axis.output > 1
                ? start * (input - 1) + x * (end - start) * (input - 1) / Double(axis.output - 1)
                : 0.5 * (start + end) * (input - 1)
        }
    }

    private func taps(_ axis: Axis, at coordinate: Int) -> Taps {
        let last = axis.input - 1
        let source = source(axis, at: coordinate)
        // A position far outside, or none at all, is as good as the nearest end.
        let position =
            source.isNaN ? 0 : min(Double(2 * axis.input + 8), max(-Double(axis.input + 8), source))
        let isOutside =
            coordinates == .tensorflowCropAndResize && !(source >= 0 && source <= Double(last))
        guard mode != .nearest else {
            return Taps(indices: [min(last, max(0, nearest(position)))], weights: [1], isOutside: isOutside)
        }
        let base = Int(position.rounded(.down))
        let fraction = position - Double(base)
        // The kernel is 1 or 2 elements wide to either side, more when it is widened.
        let widening = antialiases ? min(1, axis.scale) : 1
        let radius = mode == .linear ? 1.0 : 2.0
        let reach = Int(min(Double(axis.input + 8), (radius / widening).rounded(.up)))
        var (indices, weights): ([Int], [Double]) = ([], [])
        for offset in 1 - reach...reach {
            let index = base + offset
            var weight = kernel((Double(offset) - fraction) * widening)
            if excludesOutside, index < 0 || index > last { weight = 0 }
            indices.append(min(last, max(0, index)))
            weights.append(weight)
        }
        if excludesOutside || antialiases {
            let sum = weights.reduce(0, +)
            weights = weights.map { $0 / sum }
        }
        return Taps(indices: indices, weights: weights, isOutside: isOutside)
    }

    private func nearest(_ position: Double) -> Int {
        switch nearestMode {
        case .floor: Int(position.rounded(.down))
        case .ceil: Int(position.rounded(.up))
        case .roundPreferFloor: Int((position - 0.5).rounded(.up))
        case .roundPreferCeil: Int((position + 0.5).rounded(.down))
        }
    }

    /// The weight of an element at a distance.
    func kernel(_ distance: Double) -> Double {
        let x = distance.magnitude
        if mode == .linear { return max(0, 1 - x) }
        // Keys 1981, with a free coefficient.
        let a = cubicCoefficient
        if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    }
}
