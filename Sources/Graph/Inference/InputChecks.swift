import Tensors

/// What every operator asks of its inputs, in one wording.
extension Operator {
    /// The input at `index`, its known dimensions checked; throws when it is absent.
    @_semantics("optimize.sil.specialize.generic.never")
    func required(_ inputs: [ValueInfo?], _ index: Int, _ name: String) throws(GraphError) -> ValueInfo {
        guard let info = try optional(inputs, index, name) else { throw error("the input \(name) is absent") }
        return info
    }

    /// The input at `index`, its known dimensions checked, or `nil` when it is absent.
    @_semantics("optimize.sil.specialize.generic.never")
    func optional(_ inputs: [ValueInfo?], _ index: Int, _ name: String) throws(GraphError) -> ValueInfo? {
        guard index < inputs.count, var info = inputs[index] else { return nil }
        for case .known(let extent) in info.dimensions ?? []
        where extent < 0 || extent > Shape.maximumCount {
            throw error("\(name) \(info) has an extent of \(extent)")
        }
        if let dimensions = info.dimensions, let elements = info.elements {
            let isFollowed =
                dimensions.count <= 1
                && Dimension.product(dimensions).value ?? elements.count == elements.count
            if !isFollowed { info.elements = nil }
        }
        return info
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func requireFloating(_ info: ValueInfo, _ name: String) throws(GraphError) {
        guard let type = info.elementType, !type.isFloatingPoint else { return }
        throw error("\(name) has element type \(type), expected a floating type")
    }

    /// Anything but `bool`.
    @_semantics("optimize.sil.specialize.generic.never")
    func requireNumbers(_ info: ValueInfo, _ name: String) throws(GraphError) {
        guard info.elementType == .bool else { return }
        throw error("\(name) has element type bool, expected a number type")
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func requireIntegers(_ info: ValueInfo, _ name: String) throws(GraphError) {
        guard let type = info.elementType, !type.isInteger else { return }
        throw error("\(name) has element type \(type), expected an integer type")
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func requireType(_ info: ValueInfo, _ name: String, _ expected: ElementType...) throws(GraphError) {
        guard let type = info.elementType, !expected.contains(type) else { return }
        throw error(
            "\(name) has element type \(type), expected \(expected.map(\.rawValue).joined(separator: " or "))"
        )
    }

    /// The element type that two inputs share.
    @_semantics("optimize.sil.specialize.generic.never")
    func commonType(
        _ first: ValueInfo, _ firstName: String, _ second: ValueInfo, _ secondName: String
    ) throws(GraphError) -> ElementType? {
        if let one = first.elementType, let other = second.elementType, one != other {
            throw error("\(secondName) has element type \(other), \(firstName) has \(one)")
        }
        return first.elementType ?? second.elementType
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func requireRank(
        _ info: ValueInfo, _ name: String, _ ranks: ClosedRange<Int>
    ) throws(GraphError) {
        guard let rank = info.rank, !ranks.contains(rank) else { return }
        let expected =
            ranks.upperBound == .max
            ? "at least \(ranks.lowerBound)"
            : ranks.count == 1
                ? "\(ranks.lowerBound)" : "\(ranks.lowerBound) to \(ranks.upperBound)"
        throw error("\(name) \(info) has rank \(rank), expected \(expected)")
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func requireRank(_ info: ValueInfo, _ name: String, _ rank: Int) throws(GraphError) {
        try requireRank(info, name, rank...rank)
    }

    /// Checks the rank and the known extents.
    @_semantics("optimize.sil.specialize.generic.never")
    func requireShape(
        _ info: ValueInfo, _ name: String, _ expected: [Dimension]?
    ) throws(GraphError) {
        guard let expected, let dimensions = info.dimensions else { return }
        try requireRank(info, name, expected.count)
        for (extent, other) in zip(dimensions, expected) where extent.unified(with: other) == nil {
            throw error("\(name) \(info) has an extent of \(extent), expected \(other)")
        }
    }

    /// Checks a vector of one number a channel and returns what is then known of the channel count.
    @_semantics("optimize.sil.specialize.generic.never")
    func unifyChannels(
        _ channels: Dimension, _ info: ValueInfo?, _ name: String
    ) throws(GraphError) -> Dimension {
        guard let info else { return channels }
        try requireRank(info, name, 1)
        guard let extent = info.dimensions?[0] else { return channels }
        guard let unified = channels.unified(with: extent) else {
            throw error("the input has \(channels) channels, \(name) has \(extent)")
        }
        return unified
    }

    /// `axis` counted from the front; negative ones count from the end.
    @_semantics("optimize.sil.specialize.generic.never")
    func normalized(
        _ axis: Int, rank: Int, name: String = "axis", pastEnd: Bool = false
    ) throws(GraphError) -> Int {
        let end = pastEnd ? rank + 1 : rank
        guard axis >= -rank, axis < end else {
            throw error("\(name) is \(axis), the input has rank \(rank)")
        }
        return axis < 0 ? axis + rank : axis
    }

    /// `axes` counted from the front; throws when one is named twice.
    @_semantics("optimize.sil.specialize.generic.never")
    func normalized(_ axes: [Int], rank: Int) throws(GraphError) -> [Int] {
        var seen: Set<Int> = []
        var result: [Int] = []
        for axis in axes {
            let position = try normalized(axis, rank: rank, name: "an axis")
            guard seen.insert(position).inserted else { throw error("the axis \(axis) is named twice") }
            result.append(position)
        }
        return result
    }

    /// What is known of an output; throws when its elements could not be addressed.
    @_semantics("optimize.sil.specialize.generic.never")
    func output(
        _ type: ElementType?, _ dimensions: [Dimension]?, elements: [Dimension]? = nil
    ) throws(GraphError) -> ValueInfo {
        if let dimensions { _ = try checkedShape(dimensions.compactMap(\.value)) }
        return ValueInfo(type, dimensions, elements: elements)
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func checkedShape(_ dimensions: [Int]) throws(GraphError) -> Shape {
        do {
            return try Shape(dimensions)
        } catch {
            throw self.error("\(error)")
        }
    }
}
