import Graph
import Tensors

/// The way back from an affine to the node that might take it, through nodes that leave every channel what it is.
///
///     Transpose                               moves the channels to another axis
///     Reshape, Flatten, Squeeze, Unsqueeze    the same, when an axis of the input has as many elements, and as many
///                                             stand behind each: row-major order then gives each its own channel
///     Cast to a wider floating type
///
/// A Reshape may also have made channels of the batch axis and the channels, as InstanceNormalization with running
/// statistics is exported: then the affine must be the same for each item.
struct BackwardWalk {
    /// The most nodes on the way; exporters write one or two.
    static let maximumLength = 8

    let producer: Node
    /// On the axis of the producer's output.
    let affine: Affine
    /// The nodes between, from the producer on.
    private(set) var path: [Node] = []
    /// Each value on the way with the node on the way that reads it, from the affine back.
    private(set) var links: [(value: String, reader: Node)] = []

    /// `nil` when the way does not end at a node of that type.
    init?(from node: Node, _ affine: Affine, to type: String, in context: FoldContext) {
        var reader = node
        var affine = affine
        while true {
            guard let value = reader.input(0), let before = context.index.producer(of: value),
                path.count < Self.maximumLength
            else { return nil }
            links.append((value, reader))
            if before.type == type {
                producer = before
                self.affine = affine
                return
            }
            guard let moved = Self.affine(affine, before: before, in: context) else { return nil }
            affine = moved
            path.insert(before, at: 0)
            reader = before
        }
    }

    /// What the affine behind `node` is before it.
    private static func affine(_ affine: Affine, before node: Node, in context: FoldContext) -> Affine? {
        guard let output = node.outputs.first ?? nil, let input = node.input(0) else { return nil }
        if node.operation is Cast { return context.isWideningCast(node) ? affine : nil }
        guard let after = context.values[output]?.dimensions, affine.axis < after.count,
            let before = context.values[input]?.dimensions
        else { return nil }
        switch node.operation {
        case let transpose as Transpose:
            return Affine(
                scale: affine.scale, shift: affine.shift,
                axis: transpose.resolved(rank: after.count)[affine.axis])
        case is Reshape, is Flatten, is Squeeze, is Unsqueeze:
            let behind = Extent(after[(affine.axis + 1)...])
            for axis in before.indices {
                guard let count = before[axis].value, count > 0, let behind,
                    Extent(before[(axis + 1)...]) == behind, let repeated = affine.repeating(every: count)
                else { continue }
                return Affine(scale: repeated.scale, shift: repeated.shift, axis: axis)
            }
            return nil
        default: return nil
        }
    }

    /// How many elements some axes have together; symbols count as themselves.
    private struct Extent: Equatable {
        private var known = 1
        private var symbols: [String] = []

        /// `nil` when an extent is not known at all, or none, or too many.
        init?(_ dimensions: ArraySlice<Dimension>) {
            for dimension in dimensions {
                switch dimension {
                case .known(let value):
                    let (product, overflow) = known.multipliedReportingOverflow(by: value)
                    guard !overflow, value > 0 else { return nil }
                    known = product
                case .symbol(let name): symbols.append(name)
                case .unknown: return nil
                }
            }
            symbols.sort()
        }
    }
}

extension FoldContext {
    /// Whether `node` casts a floating type to one that holds all its values.
    func isWideningCast(_ node: Node) -> Bool {
        guard node.operation is Cast, let input = node.input(0), let output = node.outputs.first ?? nil,
            let from = values[input]?.elementType, let to = values[output]?.elementType
        else { return false }
        switch (from, to) {
        case (.float16, .float32), (.float16, .float64), (.bfloat16, .float32), (.bfloat16, .float64),
            (.float32, .float64):
            return true
        default: return false
        }
    }
}

extension Affine {
    /// The first `count` channels, when all others repeat them; `nil` also for more than there are, and for one of
    /// several: what is the same everywhere has no axis to find.
    fileprivate func repeating(every count: Int) -> Affine? {
        guard count <= scale.count, scale.count.isMultiple(of: count), count > 1 || scale.count == 1,
            scale.indices.allSatisfy({
                scale[$0] == scale[$0 % count] && shift[$0] == shift[$0 % count]
            })
        else { return nil }
        return Affine(scale: Array(scale[..<count]), shift: Array(shift[..<count]), axis: axis)
    }
}
