import Graph

/// What folds in either direction ask of operators that combine elements along some axes.
extension FoldContext {
    /// Whether a Resize or Upsample certainly leaves `axis` alone: its scale is 1, or its size its extent. A scale that is
    /// rounded to the same extent blends elements all the same.
    func keepsAxis(_ axis: Int, ofResize node: Node) -> Bool {
        guard let input = node.input(0), let dimensions = values[input]?.dimensions,
            dimensions.indices.contains(axis)
        else { return false }
        var place = axis
        if case .integers(let axes)? = node.attributes["axes"] {
            let stated = axes.map { $0 < 0 ? Int($0) + dimensions.count : Int($0) }
            guard let found = stated.firstIndex(of: axis) else { return true }
            place = found
        }
        if case .reals(let scales)? = node.attributes["scales"] {
            return place < scales.count && scales[place] == 1
        }
        let isOld = node.operation is Upsample || node.opset < 11
        if let name = node.input(isOld ? 1 : 2) {
            guard let scales = graph.fixedConstant(name), scales.elementType.isFloatingPoint else {
                return false
            }
            if scales.shape.count > 0 { return place < scales.shape.count && scales.reals[place] == 1 }
        }
        guard !isOld, node.stringAttribute("keep_aspect_ratio_policy") ?? "stretch" == "stretch",
            let name = node.input(3), let sizes = values[name]?.elements, place < sizes.count,
            let extent = dimensions[axis].value
        else { return false }
        return sizes[place] == .known(extent)
    }

    /// The axes that a ReduceMean, ReduceMax or ReduceMin takes away of an input of this rank; `nil` when they are not
    /// constant, or for another operator.
    func reducedAxes(of node: Node, rank: Int) -> Set<Int>? {
        guard let axes = node.reducedAxes else { return nil }
        var stated = axes.stated
        if stated == nil, let name = node.input(1) {
            guard let elements = values[name]?.knownElements else { return nil }
            stated = elements
        }
        guard let stated, !stated.isEmpty else { return axes.isIdentityWithoutAxes ? [] : Set(0..<rank) }
        let normalized = stated.map { $0 < 0 ? $0 + rank : $0 }
        return normalized.allSatisfy { (0..<rank).contains($0) } ? Set(normalized) : nil
    }

    /// Whether anything depends on another output of `node` than the first.
    func needsOtherOutputs(of node: Node) -> Bool {
        node.outputs.dropFirst().contains { output in output.map { !isUnused($0) } ?? false }
    }

    /// Whether nothing depends on `value`.
    func isUnused(_ value: String) -> Bool {
        !index.isGraphOutput(value) && index.consumers(of: value).isEmpty
    }
}

extension Node {
    /// How a mean, maximum or minimum over axes states them.
    var reducedAxes: ReducedAxes? {
        switch operation {
        case let operation as ReduceMean: operation.axes
        case let operation as ReduceMax: operation.axes
        case let operation as ReduceMin: operation.axes
        default: nil
        }
    }
}

extension AveragePool {
    /// Whether it may divide by more elements than there are under a window, so that a shift would not come out the same:
    /// it counts pads, or counts and rounds up, where runtimes differ in what they count of a last window that overhangs.
    var mayCountPads: Bool {
        guard countsPads else { return false }
        if roundsUp { return true }
        return switch window.padding {
        case nil, .valid: false
        case .explicit(let begins, let ends): (begins + ends).contains { $0 != 0 }
        case .sameUpper, .sameLower: true
        }
    }
}
