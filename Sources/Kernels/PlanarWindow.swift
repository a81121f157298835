import CKernels

/// How a convolution reads plain planes: as they lie where every tap of every output is inside of them, else from copies of
/// strips with their borders, small enough for a core's own cache.
///
/// A copy lies as [channels][kernel's depth][rows][pixels of a row]: what the taps of a sheet's outputs read.
package struct PlanarWindow: Sendable {
    /// Depth, height and width.
    let axes: [WindowAxis]
    private let channels: Int
    package let isDirect: Bool
    /// Of the planes that taps are placed in: the pixels of a row, the rows of a sheet.
    let rowLength: Int
    let rowCount: Int
    /// The floats of a copy; 0 where the planes are read as they lie.
    package let scratchCount: Int
    /// Rows of outputs that share a copy, and the outputs of a row in one.
    private let stripRows: Int
    private let stripPixels: Int

    /// Outputs of one item and sheet: whole rows, or a part of one.
    package struct Strip: Equatable, Sendable {
        package let item: Int
        package let sheet: Int
        package let rows: Range<Int>
        package let pixels: Range<Int>
        /// The first output, counted through the items.
        package let first: Int

        package var count: Int { rows.count * pixels.count }
    }

    /// The floats of a copy where a few rows have no more: half of a small second cache.
    private static let fittingCount = 1 << 15
    /// The fewest outputs of a row that are worth a copy.
    private static let minimumPixels = 256

    /// `nil` for more than three axes, and for windows over the limits of `WindowGeometry`.
    package init?(_ given: [WindowAxis], channels: Int) {
        guard given.count <= 3, given.allSatisfy(\.isAddressable) else { return nil }
        let axes = WindowAxis.volume(given)
        let (deep, high, wide) = (axes[0], axes[1], axes[2])
        self.axes = axes
        self.channels = channels
        isDirect = axes.allSatisfy(\.isInside)
        guard WindowGeometry.product(axes.map(\.kernel), WindowGeometry.maximumTapCount) != nil,
            let planes = WindowGeometry.product([channels, deep.kernel], WindowGeometry.maximumTapCount),
            WindowGeometry.product(axes.map(\.input) + [channels], WindowGeometry.maximumPlaneCount) != nil,
            let leastRow = wide.covered(min(wide.output, Self.minimumPixels)),
            let leastRows = high.covered(1),
            let least = WindowGeometry.product(
                [planes, leastRows, leastRow], WindowGeometry.maximumPlaneCount)
        else { return nil }
        guard !isDirect else {
            (rowLength, rowCount, scratchCount) = (wide.input, high.input, 0)
            (stripRows, stripPixels) = (high.output, wide.output)
            return
        }
        let spare = max(0, Self.fittingCount - least)
        stripPixels = min(
            wide.output, Self.minimumPixels + spare / (planes * leastRows * wide.stride))
        rowLength = wide.covered(stripPixels)!
        let rowFloats = planes * rowLength
        stripRows =
            stripPixels < wide.output
            ? 1
            : max(1, min(high.output, 1 + (Self.fittingCount / rowFloats - leastRows) / high.stride))
        rowCount = high.covered(stripRows)!
        scratchCount = rowFloats * rowCount
    }

    /// The floats of an item's planes.
    package var inputCount: Int { axes.reduce(channels) { $0 * $1.input } }

    /// Where each tap of each channel lies from an output's place; in C order.
    var tapOffsets: [Int] {
        let (deep, high, wide) = (axes[0], axes[1], axes[2])
        let sheet = rowCount * rowLength
        let sheetsOfChannel = isDirect ? deep.input : deep.kernel
        var offsets: [Int] = []
        for channel in 0..<channels {
            for z in 0..<deep.kernel {
                let start = (channel * sheetsOfChannel + (isDirect ? z * deep.dilation : z)) * sheet
                for y in 0..<high.kernel {
                    for x in 0..<wide.kernel {
                        offsets.append(start + y * high.dilation * rowLength + x * wide.dilation)
                    }
                }
            }
        }
        return offsets
    }

    /// The outputs of a row when rows are not cut: outputs are best shared out in as many.
    package var rowUnit: Int { isDirect || stripPixels < axes[2].output ? 1 : axes[2].output }

    /// `outputs`, counted through the items, as strips.
    package func forEachStrip(of outputs: Range<Int>, _ body: (Strip) -> Void) {
        let (height, width) = (axes[1].output, axes[2].output)
        var first = outputs.lowerBound
        while first < outputs.upperBound {
            let (row, x) = first.quotientAndRemainder(dividingBy: width)
            let (sheet, y) = row.quotientAndRemainder(dividingBy: height)
            let (item, z) = sheet.quotientAndRemainder(dividingBy: axes[0].output)
            let left = outputs.upperBound - first
            let isWhole = x == 0 && left >= width && stripPixels == width
            let strip = Strip(
                item: item, sheet: z,
                rows: y..<y + (isWhole ? min(stripRows, left / width, height - y) : 1),
                pixels: x..<x + min(stripPixels, left, width - x), first: first)
            body(strip)
            first += strip.count
        }
    }

    /// Copies what a strip reads, 0 outside. The result: where the planes' first output would lie.
    ///
    /// `source`: the strip's item; `scratch` has `scratchCount` floats.
    package func copy(
        _ source: UnsafePointer<Float>, _ strip: Strip, into scratch: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float> {
        let (deep, high, wide) = (axes[0], axes[1], axes[2])
        let top = strip.rows.lowerBound * high.stride
        let left = strip.pixels.lowerBound * wide.stride
        let rows = high.covered(strip.rows.count)!
        let count = wide.covered(strip.pixels.count)!
        for channel in 0..<channels {
            for tap in 0..<deep.kernel {
                let z = strip.sheet * deep.stride + tap * deep.dilation - deep.padBegin
                let sheet = source + (channel * deep.input + z) * high.input * wide.input
                let target = scratch + (channel * deep.kernel + tap) * rowCount * rowLength
                for row in 0..<rows {
                    let y = top + row - high.padBegin
                    let place = target + row * rowLength
                    if z >= 0, z < deep.input, y >= 0, y < high.input {
                        ck_split_row(
                            place, count, sheet + y * wide.input, wide.input, left - wide.padBegin, 1, 0)
                    } else {
                        place.update(repeating: 0, count: count)
                    }
                }
            }
        }
        return UnsafePointer(scratch)
            - ((strip.sheet * deep.stride * rowCount + top) * rowLength + left)
    }
}

extension WindowAxis {
    /// Whether every tap of every output lies inside the input.
    fileprivate var isInside: Bool {
        guard padBegin == 0 else { return false }
        guard let covered = covered(output) else { return false }
        return covered <= input
    }

    /// The inputs from the first tap of an output to the last tap of the one `count` − 1 behind it; `nil` on overflow.
    fileprivate func covered(_ count: Int) -> Int? {
        guard count > 0, kernel > 0 else { return 0 }
        let (steps, tooFar) = (count - 1).multipliedReportingOverflow(by: stride)
        let (sum, overflow) = steps.addingReportingOverflow((kernel - 1) * dilation + 1)
        return tooFar || overflow ? nil : sum
    }
}
