import Graph

/// Puts the nodes back that affines were recognised from and that no fold has taken.
///
/// An operator of the model is only ever recognised so that a fold can have it: where none did, the model keeps it as
/// it was. Affines that stand for a batch normalization stay: they run in one pass, and a writer knows their source.
struct SourceRestoration {
    func run(_ graph: Graph) throws(GraphError) -> Graph {
        var edit = GraphEdit()
        for node in graph.nodes where node.isRecognisedArithmetic {
            edit.expansions[node.identifier] = node.sources
        }
        return edit.expansions.isEmpty ? graph : try graph.applying(edit)
    }
}
