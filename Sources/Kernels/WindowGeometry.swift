import CKernels

/// A window that slides over up to three axes (depth, height, width), and the layout of a plane that makes its sliding
/// free of borders and strides.
///
/// Where a window is strided or reaches over the border, a plane is first copied: padded, and split by phase, so that the
/// inputs of neighbouring outputs lie side by side for every tap: [phases z][y][x][extent z][y][x].
package struct WindowGeometry: Sendable {
    /// Depth, height and width.
    package let axes: [WindowAxis]
    /// Whether the plane is read as it is.
    package let isDirect: Bool
    /// The floats of a prepared plane.
    package let planeCount: Int
    /// Where a prepared plane's rows and sheets follow each other.
    package let rowStride: Int
    package let sheetStride: Int
    /// Where each tap lies in a prepared plane, relative to its output's place; in C order.
    package let tapOffsets: [Int]
    /// Where the rows of a prepared plane come from, in order.
    private let rows: [Row]

    /// A row of a prepared plane; kept, so that preparing a plane decides nothing.
    private struct Row {
        /// The input row's place in a plane; -1: the row is outside.
        let inputOffset: Int
        /// The input element of the row's first one.
        let start: Int
    }

    /// The most rows of a prepared plane.
    package static let maximumRowCount = 1 << 24

    /// The most taps of a window.
    package static let maximumTapCount = 1 << 20
    /// The most floats of a prepared plane.
    package static let maximumPlaneCount = 1 << 40

    /// `nil` where the product, or that of the first ones, is over the limit.
    static func product(_ factors: [Int], _ limit: Int) -> Int? {
        var result = 1
        for factor in factors {
            let (product, overflow) = result.multipliedReportingOverflow(by: factor)
            guard !overflow, product <= limit else { return nil }
            result = product
        }
        return result
    }

    /// `nil` for more than three axes, and for windows over the limits.
    package init?(_ given: [WindowAxis]) {
        guard given.count <= 3, given.allSatisfy(\.isAddressable),
            let tapCount = Self.product(given.map(\.kernel), Self.maximumTapCount)
        else { return nil }
        let axes = WindowAxis.volume(given)
        self.axes = axes
        isDirect = axes.allSatisfy(\.isDirect)
        let phases = axes.map(\.phases)
        let extents = isDirect ? axes.map(\.input) : axes.map(\.extent)
        var planeCount = 1
        for factor in extents + phases.map(\.count) {
            let (product, overflow) = planeCount.multipliedReportingOverflow(by: factor)
            guard !overflow, product <= Self.maximumPlaneCount else { return nil }
            planeCount = product
        }
        self.planeCount = planeCount
        rowStride = extents[2]
        sheetStride = extents[1] * extents[2]
        let boxCount = extents[0] * sheetStride
        func place(_ tap: Int, _ index: Int) -> (phase: Int, step: Int) {
            let position = tap * axes[index].dilation
            return (
                phases[index].firstIndex(of: position % axes[index].stride)!, position / axes[index].stride
            )
        }
        var offsets: [Int] = []
        offsets.reserveCapacity(tapCount)
        for z in 0..<axes[0].kernel {
            let deep = place(z, 0)
            for y in 0..<axes[1].kernel {
                let high = place(y, 1)
                for x in 0..<axes[2].kernel {
                    let wide = place(x, 2)
                    let phase = (deep.phase * phases[1].count + high.phase) * phases[2].count + wide.phase
                    offsets.append(
                        phase * boxCount + deep.step * sheetStride + high.step * rowStride + wide.step)
                }
            }
        }
        tapOffsets = offsets
        guard isDirect || planeCount / max(1, rowStride) <= Self.maximumRowCount else { return nil }
        rows = isDirect ? [] : Self.rows(axes, phases)
    }

    package var inputCount: Int { axes[0].input * axes[1].input * axes[2].input }
    package var outputCount: Int { axes[0].output * axes[1].output * axes[2].output }

    /// Writes the prepared plane of `source` to `destination`; border elements are `fill`.
    package func prepare(
        _ source: UnsafePointer<Float>, into destination: UnsafeMutablePointer<Float>, fill: Float
    ) {
        let (length, count, stride) = (axes[2].input, rowStride, axes[2].stride)
        rows.withUnsafeBufferPointer { rows in
            var target = destination
            for row in rows {
                if row.inputOffset >= 0 {
                    ck_split_row(target, count, source + row.inputOffset, length, row.start, stride, fill)
                } else {
                    target.update(repeating: fill, count: count)
                }
                target += count
            }
        }
    }

    private static func rows(_ axes: [WindowAxis], _ phases: [[Int]]) -> [Row] {
        let (deep, high, wide) = (axes[0], axes[1], axes[2])
        var rows: [Row] = []
        for phaseZ in phases[0] {
            for phaseY in phases[1] {
                for phaseX in phases[2] {
                    for z in 0..<deep.extent {
                        let inputZ = z * deep.stride + phaseZ - deep.padBegin
                        for y in 0..<high.extent {
                            let inputY = y * high.stride + phaseY - high.padBegin
                            let isInside =
                                inputZ >= 0 && inputZ < deep.input && inputY >= 0 && inputY < high.input
                            rows.append(
                                Row(
                                    inputOffset: isInside ? (inputZ * high.input + inputY) * wide.input : -1,
                                    start: phaseX - wide.padBegin))
                        }
                    }
                }
            }
        }
        return rows
    }
}
