import Graph
import Tensors

/// Follows the batch axis through a graph: from axis 0 of every input to axis 0 of every output.
///
/// Where that succeeds, an item's outputs follow from that item's inputs alone, so that the items of several requests may
/// ride in one run. An operator that is not listed here, or not in the form listed, ends the search: such a graph
/// is run for one request at a time.
struct BatchAxis {
    /// Where the items lie in a value.
    private enum Place: Equatable {
        /// The same for all items, in every batch.
        case shared
        /// A few integers that depend on how many items there are.
        case extent
        case axis(Int)
    }

    /// Stands for the number of items: no model's own name can be the same.
    private static let items = Dimension.symbol("\u{0}items")

    private let values: [String: ValueInfo]
    private var places: [String: Place] = [:]

    private init(values: [String: ValueInfo]) { self.values = values }

    /// What keeps the items of `graph` from being told apart; `nil`: nothing.
    static func obstacle(in graph: Graph) -> String? {
        var graph = graph
        guard !graph.inputs.isEmpty else { return "there are no inputs" }
        var symbols: Set<Dimension> = []
        for index in graph.inputs.indices {
            let port = graph.inputs[index]
            guard let first = port.info.dimensions?.first, first.value == nil else {
                return "the first axis of input '\(port.name)' is not open"
            }
            if case .symbol = first { symbols.insert(first) }
            graph.inputs[index].info.dimensions?[0] = items
        }
        for port in graph.inputs
        where port.info.dimensions?.dropFirst().contains(where: symbols.contains) == true {
            return "another axis of input '\(port.name)' has the extent of the first"
        }
        guard let values = try? graph.inferValues() else { return "the shapes do not follow" }
        var search = BatchAxis(values: values)
        for port in graph.inputs { search.places[port.name] = .axis(0) }
        for node in graph.nodes {
            guard search.place(node) else { return "node '\(node.name)' (\(node.type)) may mix the items" }
        }
        for port in graph.outputs where search.places[port.name] != .axis(0) {
            return "the first axis of output '\(port.name)' is not the inputs'"
        }
        return nil
    }

    /// Finds the places of a node's outputs; whether they could be found.
    private mutating func place(_ node: Node) -> Bool {
        let inputs = node.inputs.map { name in name.map { places[$0] ?? .shared } ?? .shared }
        if inputs.allSatisfy({ $0 == .shared }) { return true }
        guard node.subgraphs.isEmpty else { return false }
        guard inputs.contains(where: { if case .axis = $0 { true } else { false } }) else {
            return node.outputs.allSatisfy { placeComputedExtent($0) }
        }
        if node.operation is ShapeOperator || node.operation is Size {
            return node.outputs.allSatisfy { placeComputedExtent($0) }
        }
        let call = BatchedCall(
            node: node,
            axes: inputs.map { if case .axis(let axis) = $0 { axis } else { nil } },
            extents: inputs.indices.filter { inputs[$0] == .extent }, values: values)
        guard let axes = call.outputAxes() else { return false }
        for case (let name?, let axis) in zip(node.outputs, axes) {
            guard let dimensions = values[name]?.dimensions, dimensions.indices.contains(axis),
                dimensions[axis] == Self.items
            else { return false }
            for (other, dimension) in dimensions.enumerated() where other != axis {
                // Nothing else may depend on the number of items: an extent that is not known might.
                guard dimension != Self.items, call.extents.isEmpty || dimension != .unknown else {
                    return false
                }
            }
            places[name] = .axis(axis)
        }
        return true
    }

    /// The place of what was computed from the number of items alone.
    private mutating func placeComputedExtent(_ name: String?) -> Bool {
        guard let name, let info = values[name], let dimensions = info.dimensions else { return name == nil }
        if let elements = info.elements {
            places[name] = elements.allSatisfy { $0 != Self.items && $0 != .unknown } ? .shared : .extent
            return true
        }
        // A tensor that was made for the batch: the same element everywhere, or items that are copies of each other.
        let axes = dimensions.indices.filter { dimensions[$0] == Self.items }
        if axes.count == 1, !dimensions.contains(.unknown) {
            places[name] = .axis(axes[0])
            return true
        }
        return false
    }
}
