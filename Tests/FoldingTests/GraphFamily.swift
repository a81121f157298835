import Graph
import Tensors

import Folding

/// The generators of random graphs, for tests that any graph must pass.
enum GraphFamily: CaseIterable {
    /// A producer with what stands around it.
    case neighbourhood
    /// Operators that a backward fold goes through.
    case tree
    /// Operators that a forward fold goes through.
    case forward

    func builder(seed: UInt64) throws -> GraphBuilder {
        switch self {
        case .neighbourhood: try RandomGraph(seed: seed).builder
        case .tree: try RandomTree(seed: seed).builder
        case .forward: try RandomForwardGraph(seed: seed).builder
        }
    }
}
