import Tensors

extension Interpolation {
    /// What Upsample and the first Resize do.
    static func asymmetric(_ mode: Mode) -> Interpolation {
        Interpolation(
            mode: mode, coordinates: .asymmetric, nearestMode: .floor, cubicCoefficient: -0.75,
            excludesOutside: false, antialiases: false)
    }

    /// Resizes one axis after the other; `nil` axes stay as they are. Only `nearest` takes integers.
    func resample(
        _ x: ExactTensor, axes: [Axis?], to target: Shape, extrapolation: Double
    ) -> ExactTensor {
        guard target.count > 0 else { return x.selected(to: target) { _ in [] } }
        let taps = axes.map { axis in axis.map { self.taps($0) } }
        var result: ExactTensor
        if mode == .nearest {
            result = x.selected(to: target) { axis in
                taps[axis].map { $0.map { $0.indices[0] } } ?? Array(0..<target[axis])
            }
        } else {
            result = blend(x, taps, target)
        }
        if coordinates == .tensorflowCropAndResize {
            extrapolate(&result, taps, extrapolation)
        }
        return result
    }

    private func blend(_ x: ExactTensor, _ taps: [[Taps]?], _ target: Shape) -> ExactTensor {
        var values = x.reals ?? []
        var dimensions = x.shape.dimensions
        // The axes that shrink first: then no step is larger than both the input and the output.
        let order = taps.indices.sorted { target[$0] - dimensions[$0] < target[$1] - dimensions[$1] }
        for axis in order {
            guard let taps = taps[axis] else { continue }
            let (extent, inner) = (dimensions[axis], dimensions[(axis + 1)...].reduce(1, *))
            let outer = dimensions[..<axis].reduce(1, *)
            var blended = [Double](repeating: 0, count: outer * taps.count * inner)
            for block in 0..<outer {
                for (coordinate, tap) in taps.enumerated() {
                    let base = (block * taps.count + coordinate) * inner
                    for (index, weight) in zip(tap.indices, tap.weights) where weight != 0 {
                        let source = (block * extent + index) * inner
                        for offset in 0..<inner { blended[base + offset] += weight * values[source + offset] }
                    }
                }
            }
            values = blended
            dimensions[axis] = taps.count
        }
        return ExactTensor(reals: values, shape: target, elementType: x.elementType)
    }

    /// Puts the extrapolation value where any coordinate lies outside.
    private func extrapolate(_ tensor: inout ExactTensor, _ taps: [[Taps]?], _ value: Double) {
        let fill = ExactTensor(reals: [value], shape: .scalar, elementType: .float64)
            .converted(to: tensor.elementType)
        let inside = tensor
        tensor = inside.selected(to: inside.shape, fill: fill) { axis in
            (0..<inside.shape[axis]).map { taps[axis]?[$0].isOutside == true ? -1 : $0 }
        }
    }
}
