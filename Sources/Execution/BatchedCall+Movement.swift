import Graph
import Tensors

extension BatchedCall {
    /// The axis in the output of an operator that moves, repeats, chooses or reduces elements.
    func movementAxis() -> Int? {
        switch node.operation {
        case is Reshape, is Flatten, is Squeeze, is Unsqueeze: return reshapedAxis()
        case is Transpose:
            guard let own = axes[0], let rank else { return nil }
            return (integers("perm", input: .max) ?? Array((0..<rank).reversed())).firstIndex(of: own)
        case is Concat:
            guard let own = axes[0], axes.allSatisfy({ $0 == own }),
                normalized(integer("axis", 0)) != own
            else { return nil }
            return own
        case is Split: return axisOtherThan(integer("axis", 0))
        case is Slice:
            guard let own = onlyFirst(), let sliced = slicedAxes() else { return nil }
            return sliced.contains(own) ? nil : own
        case is Pad: return paddedAxis()
        case is Tile, is Trilu:
            guard let own = onlyFirst(), let rank else { return nil }
            return node.operation is Tile || own < rank - 2 ? own : nil
        case is Expand: return axes[1] == nil ? expandedAxis() : nil
        case is Resize, is Upsample: return resizedAxis()
        case is Gather: return gatheredAxis()
        case is GatherElements:
            guard let own = axes[0], axes[1] == own, normalized(integer("axis", 0)) != own else { return nil }
            return own
        case is TopK: return axisOtherThan(integer("axis", -1))
        default:
            switch node.operation.family {
            case .cumulative: return axisOtherThan(node.input(1).flatMap { values[$0]?.knownElements?.first })
            case .reduction: return integers("axes", input: 1).flatMap { reducedAxis($0) }
            case .argReduction: return reducedAxis([integer("axis", 0)])
            default: return nil
            }
        }
    }

    /// The axis with as many elements before it as there were: every item keeps its own.
    private func reshapedAxis() -> Int? {
        guard let own = axes[0], let before = dimensions(0),
            let after = node.outputs[0].flatMap({ values[$0]?.dimensions })
        else { return nil }
        guard let outer = Self.extents(before[..<own]) else { return nil }
        return after.indices.first {
            after[$0] == before[own] && Self.extents(after[..<$0]).map { $0 == outer } == true
        }
    }

    /// What extents multiply to: a number and names, in order; `nil` when one is not known.
    private static func extents(_ dimensions: ArraySlice<Dimension>) -> [String]? {
        var names: [String] = []
        var product = 1
        for dimension in dimensions {
            switch dimension {
            case .known(let extent):
                let (next, overflow) = product.multipliedReportingOverflow(by: extent)
                guard !overflow else { return nil }
                product = next
            case .symbol(let name): names.append(name)
            case .unknown: return nil
            }
        }
        return [String(product)] + names.sorted()
    }

    private func slicedAxes() -> [Int]? {
        guard let rank else { return nil }
        if let axes = integers("axes", input: 3) { return axes.map { $0 < 0 ? $0 + rank : $0 } }
        guard node.input(3) == nil else { return nil }
        if case .integers(let starts)? = node.attributes["starts"] { return Array(starts.indices) }
        guard let count = dimensions(1)?.first?.value, count <= rank else { return nil }
        return Array(0..<count)
    }

    private func paddedAxis() -> Int? {
        guard let own = onlyFirst(), let rank, let pads = integers("pads", input: 1) else { return nil }
        var place: Int? = own
        if node.input(3) != nil {
            guard let axes = integers("axes", input: 3) else { return nil }
            place = axes.firstIndex { ($0 < 0 ? $0 + rank : $0) == own }
        }
        guard let place else { return own }
        let count = pads.count / 2
        return place < count && pads[place] == 0 && pads[count + place] == 0 ? own : nil
    }

    private func expandedAxis() -> Int? {
        guard let own = axes[0], let rank, let count = node.outputs[0].flatMap({ values[$0]?.rank }) else {
            return nil
        }
        return own + count - rank
    }

    /// The shapes tell whether the axis keeps its extent; a region or a common ratio could still blend items.
    private func resizedAxis() -> Int? {
        guard let own = onlyFirst(), node.attributes["keep_aspect_ratio_policy"] == nil else { return nil }
        if case .string(let mode)? = node.attributes["coordinate_transformation_mode"],
            mode == "tf_crop_and_resize"
        {
            return nil
        }
        if case .reals(let scales)? = node.attributes["scales"] {
            return own < scales.count && scales[own] == 1 ? own : nil
        }
        let isOld = node.operation is Upsample || node.opset < 11
        if let name = node.input(isOld ? 1 : 2), dimensions(isOld ? 1 : 2) != [.known(0)] {
            guard node.attributes["axes"] == nil,
                let scales = try? values[name]?.constant?.elements(as: Float.self)
            else { return nil }
            return own < scales.count && scales[own] == 1 ? own : nil
        }
        return own
    }

    private func gatheredAxis() -> Int? {
        guard let axis = normalized(integer("axis", 0)), let count = dimensions(1)?.count else { return nil }
        switch (axes[0], axes[1]) {
        case (let data?, nil): return data == axis ? nil : data < axis ? data : data - 1 + count
        case (nil, let indices?): return axis + indices
        default: return nil
        }
    }

    /// `axes`: those that are reduced; none stands for all.
    private func reducedAxis(_ axes: [Int]) -> Int? {
        guard let own = onlyFirst(), let rank, !axes.isEmpty else { return nil }
        let reduced = axes.map { $0 < 0 ? $0 + rank : $0 }
        guard !reduced.contains(own) else { return nil }
        return integer("keepdims", 1) == 1 ? own : own - Set(reduced).count { $0 < own }
    }
}
