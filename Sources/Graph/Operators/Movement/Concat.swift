import Tensors

/// The inputs laid end to end along `axis`.
///
/// Inputs: one or more, of one element type, equal but for the extent of `axis`. Outputs: concat_result.
/// Attributes: `axis` (required; negative since 11). Source: ONNX Concat-4, 11, 13.
package struct Concat: Operator {
    package static let type = "Concat"

    package let axis: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard let axis = try attributes.integer("axis") else {
            throw .attribute(Self.type, name: "axis", reason: "is required")
        }
        self.axis = axis
    }

    init(axis: Int) { self.axis = axis }

    package var inputCount: ClosedRange<Int> { 1...Graph.maximumNodeInputCount }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        var type: ElementType?
        var dimensions: [Dimension]?
        var extents: [Dimension] = []
        var elements: [Dimension]? = []
        for index in inputs.indices {
            let input = try required(inputs, index, "input \(index)")
            type = try commonType(ValueInfo(type, nil), "input 0", input, "input \(index)")
            elements = input.elements.flatMap { own in elements.map { $0 + own } }
            guard let own = input.dimensions else {
                extents.append(.unknown)
                continue
            }
            let axis = try normalized(axis, rank: own.count)
            extents.append(own[axis])
            dimensions = try unified(dimensions, own, axis: axis, index: index)
        }
        if var dimensions {
            dimensions[try normalized(axis, rank: dimensions.count)] = .sum(extents)
            if elements?.count ?? 0 > ValueInfo.maximumFollowedElements { elements = nil }
            return [try output(type, dimensions, elements: elements)]
        }
        return [ValueInfo(type, nil)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let axis = try normalized(axis, rank: target.rank)
        var tensors: [ExactTensor] = []
        for index in inputs.indices { tensors.append(try tensor(inputs, index, "input \(index)")) }
        let outer = target.dimensions[..<axis].reduce(1, *)
        // The elements of each input that lie together in the output.
        let runs = tensors.map { $0.shape.dimensions[axis...].reduce(1, *) }
        if tensors[0].elementType.isFloatingPoint {
            let parts = tensors.compactMap(\.reals)
            return [
                ExactTensor(
                    reals: joined(parts, runs, outer, target.count), shape: target,
                    elementType: tensors[0].elementType)
            ]
        }
        let parts = tensors.compactMap(\.integers)
        return [
            ExactTensor(
                integers: joined(parts, runs, outer, target.count), shape: target,
                elementType: tensors[0].elementType)
        ]
    }

    private func joined<Value>(_ parts: [[Value]], _ runs: [Int], _ outer: Int, _ count: Int) -> [Value] {
        var result: [Value] = []
        guard count > 0 else { return result }
        result.reserveCapacity(count)
        for row in 0..<outer {
            for (part, run) in zip(parts, runs) { result += part[row * run..<(row + 1) * run] }
        }
        return result
    }

    private func unified(
        _ dimensions: [Dimension]?, _ own: [Dimension], axis: Int, index: Int
    ) throws(GraphError) -> [Dimension] {
        guard var result = dimensions else { return own }
        guard result.count == own.count else {
            throw error("input \(index) has rank \(own.count), input 0 has rank \(result.count)")
        }
        for position in own.indices where position != axis {
            guard let extent = result[position].unified(with: own[position]) else {
                throw error(
                    "input \(index) has an extent of \(own[position]) on axis \(position), those before have "
                        + "\(result[position])")
            }
            result[position] = extent
        }
        return result
    }
}
