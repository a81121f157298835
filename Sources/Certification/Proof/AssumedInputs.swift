import Graph
import Tensors

/// Shapes of the inputs for which both graphs can be followed: the declared extents, and where the model leaves one open,
/// two that every operator accepts, if there are two.
struct AssumedInputs {
    /// The shapes, and both graphs with what follows from them.
    struct Size {
        let shapes: [String: Shape]
        let before, after: CutGraph

        init(_ shapes: [String: Shape], _ before: GraphIndex, _ after: GraphIndex) throws(GraphError) {
            self.shapes = shapes
            self.before = try CutGraph(before, shapes)
            self.after = try CutGraph(after, shapes)
        }
    }

    /// One or two; one without any shape when no candidate is accepted.
    private(set) var sizes: [Size] = []

    /// Tried in order until two are accepted: extents of the first axis and of the others. The second is odd where it may
    /// be, for what differs between odd and even extents.
    private static let candidates: [[(batch: Int, extent: Int)]] = [
        [32, 64, 224, 128, 256, 16, 299, 8, 48, 4, 640, 1].flatMap { [(2, $0), (1, $0)] },
        [45, 75, 227, 135, 17, 33, 96, 160, 320, 12, 5, 1].flatMap { [(3, $0), (1, $0)] },
    ]

    /// Throws the operators' errors when neither a candidate nor the declared extents are accepted.
    init(_ before: Graph, _ after: Graph) throws(GraphError) {
        let (before, after) = (GraphIndex(before), GraphIndex(after))
        let ranks = Self.ranks(of: before)
        var tried: [[String: Shape]] = []
        for candidates in Self.candidates {
            for (batch, extent) in candidates {
                let candidate = Self.shapes(before.graph, ranks, batch: batch, extent: extent)
                guard !tried.contains(candidate) else { continue }
                tried.append(candidate)
                guard let size = try? Size(candidate, before, after) else { continue }
                sizes.append(size)
                break
            }
        }
        if sizes.isEmpty { sizes = [try Size([:], before, after)] }
    }

    private static func shapes(
        _ graph: Graph, _ ranks: [String: [Int?]], batch: Int, extent: Int
    ) -> [String: Shape] {
        var symbols: [String: Int] = [:]
        var result: [String: Shape] = [:]
        for port in graph.inputs {
            let known = ranks[port.name]
            let declared = port.info.dimensions ?? known?.map { $0.map(Dimension.known) ?? .unknown }
            guard let declared else { continue }
            var dimensions: [Int] = []
            for (axis, dimension) in declared.enumerated() {
                let hint = known.flatMap { axis < $0.count ? $0[axis] : nil }
                switch dimension {
                case .known(let value): dimensions.append(value)
                case .unknown: dimensions.append(hint ?? (axis == 0 ? batch : extent))
                case .symbol(let name):
                    let value = symbols[name] ?? hint ?? (axis == 0 ? batch : extent)
                    symbols[name] = value
                    dimensions.append(value)
                }
            }
            if let shape = try? Shape(dimensions) { result[port.name] = shape }
        }
        return result
    }

    /// What the weights of an input's first reader say of its extents.
    private static func ranks(of index: GraphIndex) -> [String: [Int?]] {
        let graph = index.graph
        var result: [String: [Int?]] = [:]
        for port in graph.inputs {
            for reader in index.consumers(of: port.name) where reader.input(0) == port.name {
                guard let weight = graph.fixedConstant(reader.input(1))?.shape else { continue }
                let spatial = [Int?](repeating: nil, count: max(0, weight.rank - 2))
                switch reader.operation {
                case let conv as Conv where weight.rank >= 3:
                    result[port.name] =
                        [nil, weight[1].multipliedReportingOverflow(by: conv.group).partialValue] + spatial
                case is ConvTranspose where weight.rank >= 3: result[port.name] = [nil, weight[0]] + spatial
                case is Gemm where weight.rank == 2:
                    let depth = weight[reader.flag("transB") ? 1 : 0]
                    result[port.name] = reader.flag("transA") ? [depth, nil] : [nil, depth]
                case is MatMul where weight.rank == 2:
                    let rank = port.info.rank ?? 2
                    result[port.name] = [Int?](repeating: nil, count: max(0, rank - 1)) + [weight[0]]
                default: continue
                }
                break
            }
        }
        return result
    }
}
