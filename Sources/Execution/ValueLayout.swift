import CKernels
import Kernels
import Tensors

/// How the floats of a value lie in memory.
package enum ValueLayout: String, Sendable {
    /// In C order.
    case plain
    /// [items, ceil(channels / 16), spatial…, 16]: the lanes behind the last channel hold anything.
    case blocked

    /// The floats that a value of `shape` takes; `nil` on overflow.
    package func count(_ shape: Shape) -> Int? {
        switch self {
        case .plain: shape.count
        case .blocked: BlockedShape(shape)?.count
        }
    }
}

/// A shape [items, channels, spatial…] as a blocked value holds it.
package struct BlockedShape: Sendable {
    /// The channels of a block.
    package static let blockSize = Int(CK_BLOCK)

    package let items: Int
    package let channels: Int
    /// Depth, height and width; those that are missing in front are 1.
    package let extents: [Int]

    /// `nil` for a shape that cannot be blocked: one to three spatial axes can, and a count that is a number.
    package init?(_ shape: Shape) {
        guard (3...5).contains(shape.rank) else { return nil }
        items = shape[0]
        channels = shape[1]
        extents = [Int](repeating: 1, count: 5 - shape.rank) + shape.dimensions[2...]
        let (padded, overflow) = channels.addingReportingOverflow(Self.blockSize - 1)
        guard !overflow else { return nil }
        var product = padded / Self.blockSize * Self.blockSize
        for factor in extents + [items] {
            let (next, overflow) = product.multipliedReportingOverflow(by: factor)
            guard !overflow else { return nil }
            product = next
        }
        count = product
    }

    /// The floats of the whole.
    package let count: Int

    package var blocks: Int { (channels + Self.blockSize - 1) / Self.blockSize }
    /// The pixels of a channel.
    package var pixels: Int { extents[0] * extents[1] * extents[2] }
    /// The floats from one channel block to the next.
    package var blockStride: Int { pixels * Self.blockSize }
    /// The floats from one item to the next.
    package var itemStride: Int { blocks * blockStride }

    /// The shape of what lies in memory: [items, blocks, spatial…, 16], with `rank` axes in all.
    func memoryShape(rank: Int) throws(ExecutionError) -> Shape {
        do {
            return try Shape([items, blocks] + extents.suffix(rank - 3) + [Self.blockSize])
        } catch {
            throw .graph(.tensor(error))
        }
    }

    /// Whether the same bytes are the plain value.
    package var isPlainToo: Bool { pixels <= 1 && channels % Self.blockSize == 0 }

    /// Whether threads share an image by its pixels, and a batch by its items; few pixels are shared by their channels.
    ///
    /// All steps decide it alike, so that a thread reads what it wrote itself.
    package func isSharedByPixels(_ threadCount: Int) -> Bool {
        items >= threadCount || pixels >= threadCount * Self.minimumThreadPixels
    }

    /// The fewest pixels for a thread that outweigh reading all weights.
    private static let minimumThreadPixels = 64

    /// Cuts pixels that are counted through the items into runs of one item each.
    package func forEachRun(_ range: Range<Int>, _ body: (_ item: Int, _ pixels: Range<Int>) -> Void) {
        var first = range.lowerBound
        while first < range.upperBound {
            let item = first / pixels
            let end = min(range.upperBound, (item + 1) * pixels)
            body(item, first - item * pixels..<end - item * pixels)
            first = end
        }
    }
}

extension ValueLayout {
    /// The shape of what lies in memory: that of a blocked value has one axis more.
    func memoryShape(_ shape: Shape) throws(ExecutionError) -> Shape {
        guard self == .blocked else { return shape }
        guard let blocked = BlockedShape(shape) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        return try blocked.memoryShape(rank: shape.rank + 1)
    }

    /// What the names of kernels end with that take this layout.
    var kernelSuffix: String { self == .plain ? "" : ", \(rawValue)" }
}
