import Tensors

/// Runs a body again and again: at most `M` times, as long as a condition holds.
///
/// Inputs: M (int64, optional), cond (bool, optional), N states. The body takes the number of the iteration, the condition
/// and the states, and gives the next condition, the next states and K values that are stacked along a new first axis.
/// Outputs: the last states, then the stacks.
///
/// The types of sequences and optionals are refused where the body declares them.
///
/// Source: ONNX Loop-1, -11, -13, -16, -19, -21, -23, -24, -25 (types).
package struct Loop: ControlFlowOperator {
    package static let type = "Loop"

    package let body: Subgraph
    private let stateCount: Int
    private let stackCount: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        body = try attributes.subgraph("body")
        stateCount = body.parameterCount - 2
        stackCount = body.graph.outputs.count - 1 - stateCount
        guard stateCount >= 0, stackCount >= 0 else {
            throw error(
                "the body has \(body.parameterCount) inputs and \(body.graph.outputs.count) outputs, expected 2 + N and "
                    + "1 + N + K")
        }
    }

    package var subgraphs: [Subgraph] { [body] }
    /// Once with the states' first shapes, once without when an iteration changes them.
    package var inferencePassCount: Int { 2 }
    package var inputCount: ClosedRange<Int> { body.graph.inputs.count...body.graph.inputs.count }
    package var outputCount: ClosedRange<Int> { 0...stateCount + stackCount }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (outputs, isConditionTrue) = try inferBody(inputs)
        var results = outputs.dropFirst().prefix(stateCount).map(\.varying)
        let iterationCount = isConditionTrue ? knownIterationCount(inputs) : nil
        for stacked in outputs.dropFirst(1 + stateCount) {
            results.append(
                ValueInfo(
                    stacked.elementType,
                    stacked.dimensions.map { [iterationCount.map(Dimension.known) ?? .unknown] + $0 }))
        }
        // Without an iteration the states stay what they were.
        if iterationCount == nil {
            for index in 0..<stateCount {
                guard let initial = inputs[2 + index], let merged = results[index].merged(with: initial)
                else { continue }
                results[index] = merged.varying
            }
        }
        return Array(results.prefix(outputCount))
    }

    package func evaluate(
        _ inputs: [ExactTensor?], outputCount: Int, evaluator: Evaluator, budget: inout EvaluationBudget
    ) throws(GraphError) -> [ExactTensor] {
        let maximum = inputs[0] == nil ? .max : try scalar(inputs, 0, "M", .int64)
        var condition = inputs[1] == nil ? true : try scalar(inputs, 1, "cond", .bool) != 0
        var states: [ExactTensor?] = []
        for index in 0..<stateCount { states.append(try tensor(inputs, 2 + index, "state \(index)")) }
        let captures = Array(inputs.dropFirst(body.parameterCount))
        var stacks = TensorStacks(count: stackCount, within: budget)
        var iteration: Int64 = 0
        while condition, iteration < maximum {
            let parameters: [ExactTensor?] = [
                ExactTensor(integers: [iteration], shape: .scalar, elementType: .int64),
                ExactTensor(integers: [1], shape: .scalar, elementType: .bool),
            ]
            let outputs = try evaluator.run(body, parameters + states + captures, budget: &budget)
            condition = try scalar(outputs, 0, "the body's condition", .bool) != 0
            states = Array(outputs.dropFirst().prefix(stateCount))
            try stacks.append(outputs.dropFirst(1 + stateCount), of: self)
            iteration += 1
        }
        var results = states.compactMap { $0 }
        if iteration > 0 {
            for index in 0..<stackCount { results.append(try stacks.stacked(index, axis: 0, of: self)) }
        } else {
            let (outputs, _) = try inferBody(inputs.map { $0.map(ValueInfo.init) })
            for output in outputs.dropFirst(1 + stateCount) {
                results.append(try emptyStack(output, axis: 0))
            }
        }
        return Array(results.prefix(outputCount))
    }

    /// What is known of the body's outputs in any iteration, and whether its condition is always true.
    private func inferBody(_ inputs: [ValueInfo?]) throws(GraphError) -> ([ValueInfo], Bool) {
        if inputs[0] != nil { try checkScalar(inputs[0], "M", .int64) }
        if inputs[1] != nil { try checkScalar(inputs[1], "cond", .bool) }
        var states: [ValueInfo?] = []
        for index in 0..<stateCount {
            guard let state = inputs[2 + index] else { throw error("state \(index) is absent") }
            states.append(state.varying)
        }
        let parameters: [ValueInfo?] = [ValueInfo(.int64, []), ValueInfo(.bool, [])]
        let captures = Array(inputs.dropFirst(body.parameterCount))
        var outputs = try body.inferOutputs(parameters + states + captures)
        try checkBody(outputs, states)
        if zip(states, outputs.dropFirst()).contains(where: { $0?.dimensions != $1.dimensions }) {
            states = states.map { $0.map { ValueInfo($0.elementType, nil) } }
            outputs = try body.inferOutputs(parameters + states + captures)
            try checkBody(outputs, states)
        }
        return (outputs, knownScalar(outputs[0]) == 1)
    }

    private func checkBody(_ outputs: [ValueInfo], _ states: [ValueInfo?]) throws(GraphError) {
        try checkScalar(outputs[0], "the body's condition", .bool)
        for (index, (before, after)) in zip(states, outputs.dropFirst()).enumerated() {
            if let type = before?.elementType, let other = after.elementType, type != other {
                throw error("state \(index) is \(type) before an iteration and \(other) after it")
            }
        }
    }

    /// M, when neither it nor the conditions depend on data.
    private func knownIterationCount(_ inputs: [ValueInfo?]) -> Int? {
        guard inputs[1] == nil || knownScalar(inputs[1]) == 1, let count = knownScalar(inputs[0]) else {
            return nil
        }
        return Int(max(0, count))
    }
}
