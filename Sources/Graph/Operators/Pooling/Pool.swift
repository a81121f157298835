import Tensors

/// An operator that makes one number of the elements under each position of a window, channel by channel.
///
/// Inputs: X [N, C, D1…]. Outputs: Y [N, C, …], the spatial extents by `Window`. Attributes: those of `Window`
/// (`kernel_shape` is required) and `ceil_mode`: a last window that overhangs the end is kept when it begins inside the
/// input or its beginning pad.
package protocol Pool: Operator {
    var window: Window { get }
    var roundsUp: Bool { get }
}

extension Pool {
    package var inputCount: ClosedRange<Int> { 1...1 }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        try requireFloating(x, "X")
        return [try output(x.elementType, pooledDimensions(x))]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func pooledDimensions(_ x: ValueInfo) throws(GraphError) -> [Dimension]? {
        try requireRank(x, "X", 3...Int.max)
        guard let dimensions = x.dimensions else { return nil }
        try window.requireRank(dimensions.count - 2)
        var result = Array(dimensions[..<2])
        for axis in 0..<dimensions.count - 2 {
            result.append(
                try window.outputDimension(
                    axis, input: dimensions[axis + 2], kernel: window.kernel?[axis], roundsUp: roundsUp))
        }
        return result
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func resolvedAxes(_ shape: Shape) throws(GraphError) -> [Window.Axis] {
        var axes: [Window.Axis] = []
        for axis in 0..<shape.rank - 2 {
            guard let kernel = window.kernel?[axis] else { break }
            axes.append(try window.axis(axis, input: shape[axis + 2], kernel: kernel, roundsUp: roundsUp))
        }
        return axes
    }

    /// Calls `body` for each window in the output's order with the channel's first element and, for each axis, the
    /// coordinates inside the input.
    @_semantics("optimize.sil.specialize.generic.never")
    func forEachWindow(
        of shape: Shape, axes: [Window.Axis], count: Int, _ body: (_ base: Int, _ spans: [PoolSpan]) -> Void
    ) {
        guard count > 0 else { return }
        let channelStride = axes.reduce(1) { $0 * $1.input }
        let spans = axes.map { axis in (0..<axis.output).map { PoolSpan(axis, output: $0) } }
        for channel in 0..<shape[0] * shape[1] {
            var odometer = Odometer(axes.map(\.output))
            repeat {
                body(channel * channelStride, axes.indices.map { spans[$0][odometer.indices[$0]] })
            } while odometer.advance()
        }
    }

    @_semantics("optimize.sil.specialize.generic.never")
    static func requiredWindow(
        _ attributes: inout AttributeReader, hasDilations: Bool
    ) throws(GraphError) -> Window {
        let window = try Window(&attributes, hasDilations: hasDilations)
        guard let kernel = window.kernel, !kernel.isEmpty else {
            throw .attribute(type, name: "kernel_shape", reason: "is required")
        }
        return window
    }
}

/// The part of one window that lies inside the input, on one axis.
struct PoolSpan {
    /// The first coordinate inside, and the distance between neighbours.
    let first: Int
    let step: Int
    let count: Int
    /// How many coordinates lie inside the input or its pads; those past the end pad, by ceil_mode, do not.
    let paddedCount: Int

    init(_ axis: Window.Axis, output: Int) {
        let begin = output * axis.stride - axis.padBegin
        /// How many taps have a coordinate below `end`.
        func tapCount(below end: Int) -> Int {
            min(axis.kernel, max(0, (end - begin + axis.dilation - 1) / axis.dilation))
        }
        let outside = tapCount(below: 0)
        first = begin + outside * axis.dilation
        step = axis.dilation
        count = max(0, tapCount(below: axis.input) - outside)
        paddedCount = tapCount(below: axis.input + axis.padEnd)
    }
}

extension [PoolSpan] {
    /// Calls `body` with the offset of each element under the window, in C order; `strides` are the spatial ones.
    func forEachOffset(strides: ArraySlice<Int>, _ body: (Int) -> Void) {
        guard allSatisfy({ $0.count > 0 }) else { return }
        var odometer = Odometer(map(\.count))
        repeat {
            var offset = 0
            for (axis, stride) in strides.enumerated() {
                offset += (self[axis].first + odometer.indices[axis] * self[axis].step) * stride
            }
            body(offset)
        } while odometer.advance()
    }
}
