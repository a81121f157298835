import Tensors

/// The sum of products over every label that the output lacks.
///
/// Inputs: any number, of one number type, an axis a label. Outputs: Output, an axis a label of the equation's right
/// side; without one, the ellipsis and the labels that occur once. Attributes: `equation` (required). An ellipsis stands
/// for axes that are broadcast; a label twice in a term is its diagonal; an extent of 1 goes with any other, as in NumPy.
/// Source: ONNX Einsum-12.
package struct Einsum: Operator {
    package static let type = "Einsum"

    private let equation: EinsumEquation

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard let text = try attributes.string("equation") else {
            throw .attribute(Self.type, name: "equation", reason: "is required")
        }
        equation = try EinsumEquation(text)
    }

    package var inputCount: ClosedRange<Int> { 1...Graph.maximumNodeInputCount }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        guard inputs.count == equation.inputs.count else {
            throw error("the equation has \(equation.inputs.count) terms, there are \(inputs.count) inputs")
        }
        var first = try required(inputs, 0, "input 0")
        var extents: [EinsumEquation.Label: Dimension] = [:]
        var ellipsisRank: Int? = 0
        for (index, term) in equation.inputs.enumerated() {
            let input = try required(inputs, index, "input \(index)")
            first.elementType = try commonType(first, "input 0", input, "input \(index)")
            guard let dimensions = input.dimensions else {
                if term.hasEllipsis { ellipsisRank = nil }
                continue
            }
            let rest = try ellipsisExtent(term, rank: dimensions.count, index)
            ellipsisRank = ellipsisRank.map { max($0, rest) }
            var own: [EinsumEquation.Label: Dimension] = [:]
            for (label, extent) in zip(term.labels(ellipsisRank: rest), dimensions) {
                guard let unified = (own[label] ?? extent).unified(with: extent) else {
                    throw error(
                        "input \(index) \(input) has one label for extents \(own[label]!) and \(extent)")
                }
                own[label] = unified
            }
            for (label, extent) in own {
                guard let unified = (extents[label] ?? extent).broadcast(with: extent) else {
                    throw error(
                        "input \(index) \(input) has an extent of \(extent), its label has \(extents[label]!)"
                    )
                }
                extents[label] = unified
            }
        }
        try requireNumbers(first, "input 0")
        guard let ellipsisRank else {
            guard !equation.output.hasEllipsis else { return [ValueInfo(first.elementType, nil)] }
            return [try output(first.elementType, equation.output.letters.map { extents[$0] ?? .unknown })]
        }
        guard ellipsisRank == 0 || equation.output.hasEllipsis else {
            throw error("the ellipsis stands for \(ellipsisRank) axes, the output has none")
        }
        let labels = equation.output.labels(ellipsisRank: ellipsisRank)
        return [try output(first.elementType, labels.map { extents[$0] ?? .unknown })]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        var operands: [EinsumOperand] = []
        var ellipsisRank = 0
        for (index, term) in equation.inputs.enumerated() {
            let input = try tensor(inputs, index, "input \(index)")
            let rest = try ellipsisExtent(term, rank: input.shape.rank, index)
            ellipsisRank = max(ellipsisRank, rest)
            operands.append(
                try EinsumOperand(diagonalOf: input, term.labels(ellipsisRank: rest), of: self))
        }
        let labels = equation.output.labels(ellipsisRank: ellipsisRank)
        var result = operands[0]
        for index in operands.indices.dropFirst() {
            let later = operands[(index + 1)...].flatMap(\.labels)
            result = try result.product(operands[index], keeping: Set(labels + later), of: self)
        }
        let summed = try result.summed(keeping: Set(labels), of: self)
        return [try summed.arranged(labels, target, of: self)]
    }

    /// How many axes the ellipsis of a term stands for.
    private func ellipsisExtent(
        _ term: EinsumEquation.Term, rank: Int, _ index: Int
    ) throws(GraphError) -> Int {
        let count = term.letters.count
        guard rank == count || (term.hasEllipsis && rank > count) else {
            throw error("input \(index) has rank \(rank), its term has \(count) labels")
        }
        return rank - count
    }
}
