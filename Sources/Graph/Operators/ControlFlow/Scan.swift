import Tensors

/// Runs a body for each position along an axis of its inputs.
///
/// Inputs: N states, then M sequences of one length along their axes. The body takes the states and one slice of each
/// sequence, without that axis, and gives the next states and K values that are stacked along a new axis each.
/// Outputs: the last states, then the stacks.
///
/// Source: ONNX Scan-9, -11 (negative axes), -16, -19, -21, -23, -24, -25 (types). Scan-8, which has a batch axis and
/// lengths of sequences, is refused.
package struct Scan: ControlFlowOperator {
    package static let type = "Scan"

    private static let firstOpset = 9

    package let body: Subgraph
    private let stateCount: Int
    private let sequenceCount: Int
    private let stackCount: Int
    private let inputAxes: [Int]
    private let isInputReversed: [Bool]
    private let outputAxes: [Int]
    private let isOutputReversed: [Bool]

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard attributes.opset >= Self.firstOpset else {
            throw .input(
                Self.type,
                reason:
                    "of operator set \(attributes.opset) is not supported, expected \(Self.firstOpset) or later"
            )
        }
        body = try attributes.subgraph("body")
        let count = try attributes.integer("num_scan_inputs", in: 1...Graph.maximumNodeInputCount) ?? 0
        guard count > 0, count <= body.parameterCount, body.graph.outputs.count >= body.parameterCount - count
        else {
            throw .input(
                Self.type,
                reason:
                    "the body has \(body.parameterCount) inputs and \(body.graph.outputs.count) outputs, expected N + M "
                    + "and N + K, where M, num_scan_inputs, is \(count)")
        }
        sequenceCount = count
        stateCount = body.parameterCount - count
        stackCount = body.graph.outputs.count - stateCount
        inputAxes = try Self.list("scan_input_axes", sequenceCount, &attributes)
        isInputReversed = try Self.directions("scan_input_directions", sequenceCount, &attributes)
        outputAxes = try Self.list("scan_output_axes", stackCount, &attributes)
        isOutputReversed = try Self.directions("scan_output_directions", stackCount, &attributes)
    }

    private static func list(
        _ name: String, _ count: Int, _ attributes: inout AttributeReader
    ) throws(GraphError) -> [Int] {
        guard let values = try attributes.integers(name) else { return [Int](repeating: 0, count: count) }
        guard values.count == count else {
            throw .attribute(type, name: name, reason: "has \(values.count) elements, expected \(count)")
        }
        return values
    }

    private static func directions(
        _ name: String, _ count: Int, _ attributes: inout AttributeReader
    ) throws(GraphError) -> [Bool] {
        let values = try list(name, count, &attributes)
        if let other = values.first(where: { $0 != 0 && $0 != 1 }) {
            throw .attribute(type, name: name, reason: "expected 0 or 1, got \(other)")
        }
        return values.map { $0 == 1 }
    }

    package var subgraphs: [Subgraph] { [body] }
    package var inputCount: ClosedRange<Int> { body.graph.inputs.count...body.graph.inputs.count }
    package var outputCount: ClosedRange<Int> { 0...stateCount + stackCount }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (outputs, length) = try inferBody(inputs)
        var results = outputs.prefix(stateCount).map(\.varying)
        for (index, value) in outputs.dropFirst(stateCount).enumerated() {
            guard var dimensions = value.dimensions else {
                results.append(value.varying)
                continue
            }
            dimensions.insert(length, at: try outputAxis(index, rank: dimensions.count + 1))
            results.append(ValueInfo(value.elementType, dimensions))
        }
        return Array(results.prefix(outputCount))
    }

    package func evaluate(
        _ inputs: [ExactTensor?], outputCount: Int, evaluator: Evaluator, budget: inout EvaluationBudget
    ) throws(GraphError) -> [ExactTensor] {
        let (inferred, dimension) = try inferBody(inputs.map { $0.map(ValueInfo.init) })
        let length = dimension.value ?? 0
        var states: [ExactTensor?] = []
        for index in 0..<stateCount { states.append(try tensor(inputs, index, "state \(index)")) }
        let captures = Array(inputs.dropFirst(body.parameterCount))
        var stacks = TensorStacks(count: stackCount, within: budget)
        for position in 0..<length {
            var slices: [ExactTensor?] = []
            for index in 0..<sequenceCount {
                slices.append(
                    try slice(
                        tensor(inputs, stateCount + index, "sequence \(index)"), index,
                        at: isInputReversed[index] ? length - 1 - position : position))
            }
            let outputs = try evaluator.run(body, states + slices + captures, budget: &budget)
            states = Array(outputs.prefix(stateCount))
            try stacks.append(outputs.dropFirst(stateCount), of: self)
        }
        var results = states.compactMap { $0 }
        for (index, value) in inferred.dropFirst(stateCount).enumerated() {
            let rank = 1 + (length > 0 ? stacks.rank(index) : value.rank ?? 0)
            let axis = try outputAxis(index, rank: rank)
            results.append(
                length > 0
                    ? try stacks.stacked(index, axis: axis, isReversed: isOutputReversed[index], of: self)
                    : try emptyStack(value, axis: axis))
        }
        return Array(results.prefix(outputCount))
    }

    private func outputAxis(_ index: Int, rank: Int) throws(GraphError) -> Int {
        try normalized(outputAxes[index], rank: rank)
    }

    /// The part of a sequence at one position, without the axis.
    private func slice(_ tensor: ExactTensor, _ index: Int, at position: Int) throws(GraphError)
        -> ExactTensor
    {
        let axis = try normalized(inputAxes[index], rank: tensor.shape.rank)
        var strides = tensor.shape.strides
        let step = strides.remove(at: axis)
        var dimensions = tensor.shape.dimensions
        dimensions.remove(at: axis)
        return tensor.strided(to: try checkedShape(dimensions), strides: strides, offset: position * step)
    }

    /// What is known of the body's outputs in any iteration, and of the number of iterations.
    private func inferBody(_ inputs: [ValueInfo?]) throws(GraphError) -> ([ValueInfo], Dimension) {
        var parameters: [ValueInfo?] = []
        for index in 0..<stateCount {
            parameters.append(try required(inputs, index, "state \(index)").varying)
        }
        var length = Dimension.unknown
        for index in 0..<sequenceCount {
            let sequence = try required(inputs, stateCount + index, "sequence \(index)")
            guard var dimensions = sequence.dimensions else {
                parameters.append(sequence.varying)
                continue
            }
            let axis = try normalized(inputAxes[index], rank: dimensions.count)
            let own = dimensions.remove(at: axis)
            if let known = length.value, let other = own.value, known != other {
                throw error("the sequences have \(known) and \(other) positions")
            }
            if length.value == nil, own != .unknown { length = own }
            parameters.append(ValueInfo(sequence.elementType, dimensions))
        }
        let outputs = try body.inferOutputs(parameters + inputs.dropFirst(body.parameterCount))
        for (index, (before, after)) in zip(parameters, outputs).prefix(stateCount).enumerated() {
            guard let before, let merged = before.merged(with: after) else {
                throw error(
                    "state \(index) changes from \(before?.description ?? "?") to \(after) in an iteration")
            }
            // ONNX: a state keeps its shape.
            if let rank = before.rank, let other = after.rank, rank != other || merged.dimensions == nil {
                throw error("state \(index) changes from \(before) to \(after) in an iteration")
            }
        }
        return (outputs, length)
    }
}
