import Tensors

/// A layer that reads a batch of sequences step by step and carries a hidden state from each step to the next.
///
/// Inputs: X [steps, batch, inputSize]; W [directions, gates·hiddenSize, inputSize]; R [directions, gates·hiddenSize,
/// hiddenSize]; B [directions, 2·gates·hiddenSize] (optional, 0): those of W, then those of R; sequence_lens, int32
/// [batch] (optional, all steps); initial_h [directions, batch, hiddenSize] (optional, 0). Outputs, all optional: Y
/// [steps, directions, batch, hiddenSize], 0 past the end of a sequence; Y_h [directions, batch, hiddenSize]: the state
/// after each sequence's last step. With `layout` 1 the batch is the first axis of X, initial_h, Y and Y_h.
/// Attributes: see `RecurrentAttributes`. Errors: a length that is negative or more than the steps.
package protocol RecurrentLayer: Operator {
    static var gateCount: Int { get }
    /// Whether there is a cell state too: initial_c and Y_c, shaped as initial_h and Y_h.
    static var hasCell: Bool { get }
    var attributes: RecurrentAttributes { get }
    /// Checks the inputs that the others do not have.
    func checkFurther(_ inputs: [ValueInfo?], hiddenSize: Dimension) throws(GraphError)
    /// One step of every sequence.
    ///
    /// `gates` [batch, gates·hiddenSize] is what X, W and B of both kinds give. The result may be wrong for sequences that
    /// are over: it is not used for them.
    func advance(_ state: RecurrentState, gates: [Double], _ pass: RecurrentPass) -> RecurrentState
}

/// What is carried from step to step: [batch, hiddenSize] each.
package struct RecurrentState {
    var hidden: [Double]
    /// Empty without a cell state.
    var cell: [Double]
}

extension RecurrentLayer {
    package static var hasCell: Bool { false }
    package var inputCount: ClosedRange<Int> { 3...6 }
    package var outputCount: ClosedRange<Int> { 1...(Self.hasCell ? 3 : 2) }
    package func checkFurther(_ inputs: [ValueInfo?], hiddenSize: Dimension) throws(GraphError) {}

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, w) = (try required(inputs, 0, "X"), try required(inputs, 1, "W"))
        let r = try required(inputs, 2, "R")
        try requireFloating(x, "X")
        let type = try commonType(x, "X", w, "W")
        _ = try commonType(x, "X", r, "R")
        try requireRank(x, "X", 3)
        try requireRank(w, "W", 3)
        try requireRank(r, "R", 3)
        let hiddenSize = try hiddenSize(r)
        let directions = Dimension.known(attributes.directionCount)
        let rows = Dimension.product([hiddenSize, .known(Self.gateCount)])
        try requireShape(w, "W", [directions, rows, x.dimensions?[2] ?? .unknown])
        try requireShape(r, "R", [directions, rows, hiddenSize])
        if let b = try optional(inputs, 3, "B") {
            _ = try commonType(x, "X", b, "B")
            try requireShape(b, "B", [directions, .product([rows, .known(2)])])
        }
        let steps = x.dimensions?[attributes.isBatchFirst ? 1 : 0] ?? .unknown
        let batch = x.dimensions?[attributes.isBatchFirst ? 0 : 1] ?? .unknown
        if let lengths = try optional(inputs, 4, "sequence_lens") {
            try requireType(lengths, "sequence_lens", .int32)
            try requireShape(lengths, "sequence_lens", [batch])
        }
        let state =
            attributes.isBatchFirst ? [batch, directions, hiddenSize] : [directions, batch, hiddenSize]
        for (index, name) in [(5, "initial_h"), (6, "initial_c")] where index == 5 || Self.hasCell {
            guard let initial = try optional(inputs, index, name) else { continue }
            _ = try commonType(x, "X", initial, name)
            try requireShape(initial, name, state)
        }
        try checkFurther(inputs, hiddenSize: hiddenSize)
        let y =
            attributes.isBatchFirst
            ? [batch, steps, directions, hiddenSize] : [steps, directions, batch, hiddenSize]
        let results = [try output(type, y), try output(type, state), try output(type, state)]
        return Array(results.prefix(max(1, outputCount)))
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shapes = try outputShapes(inputs, outputCount: max(2, outputCount))
        let x = try tensor(inputs, 0, "X")
        let batchFirst = attributes.isBatchFirst
        let (steps, batch) = (x.shape[batchFirst ? 1 : 0], x.shape[batchFirst ? 0 : 1])
        // Extents that no output's elements bound when another is 0.
        _ = try boundedShape([batch])
        let run = try RecurrentRun(
            steps: steps, batch: batch, inputSize: x.shape[2], hiddenSize: shapes[0][3],
            gateCount: Self.gateCount, lengths: lengths(inputs, steps: steps, batch: batch))
        // What is computed at once: the gates of every step, and 0 steps still have a state.
        _ = try boundedShape([steps, batch, Self.gateCount, run.hiddenSize])
        let xs = try reals([batchFirst ? try swapped(x, 0, 1) : x], 0, "X")
        let hidden = try states(inputs, 5, "initial_h", shapes[1])
        let cells = Self.hasCell ? try states(inputs, 6, "initial_c", shapes[1]) : []
        var results: [(y: [Double], state: RecurrentState)] = []
        for direction in 0..<attributes.directionCount {
            let pass = try RecurrentPass(run, self, inputs, direction: direction)
            let part = direction * run.stateCount..<(direction + 1) * run.stateCount
            let state = RecurrentState(
                hidden: Array(hidden[part]), cell: Self.hasCell ? Array(cells[part]) : [])
            results.append(pass.walk(xs, from: state) { advance($0, gates: $1, pass) })
        }
        var y: [Double] = []
        y.reserveCapacity(shapes[0].count)
        for step in 0..<(run.stateCount > 0 ? steps : 0) {
            for result in results {
                y += result.y[step * run.stateCount..<(step + 1) * run.stateCount]
            }
        }
        let directions = attributes.directionCount
        let order = try checkedShape([directions, batch, run.hiddenSize])
        func finished(_ values: [Double]) throws(GraphError) -> ExactTensor {
            let tensor = ExactTensor(reals: values, shape: order, elementType: x.elementType)
            return batchFirst ? try swapped(tensor, 0, 1) : tensor
        }
        let whole = ExactTensor(
            reals: y, shape: try checkedShape([steps, directions, batch, run.hiddenSize]),
            elementType: x.elementType)
        var outputs = [batchFirst ? whole.transposed([2, 0, 1, 3], to: shapes[0]) : whole]
        outputs.append(try finished(results.flatMap(\.state.hidden)))
        if Self.hasCell { outputs.append(try finished(results.flatMap(\.state.cell))) }
        return Array(outputs.prefix(max(1, outputCount)))
    }

    private func hiddenSize(_ r: ValueInfo) throws(GraphError) -> Dimension {
        let actual = r.dimensions?[2] ?? .unknown
        guard let stated = attributes.hiddenSize else { return actual }
        guard let unified = actual.unified(with: .known(stated)) else {
            throw error("R is for a hidden size of \(actual), hidden_size says \(stated)")
        }
        return unified
    }

    private func lengths(
        _ inputs: [ExactTensor?], steps: Int, batch: Int
    ) throws(GraphError) -> [Int] {
        guard inputs.count > 4, inputs[4] != nil else { return [Int](repeating: steps, count: batch) }
        let lengths = try integers(inputs, 4, "sequence_lens")
        for length in lengths where length < 0 || length > Int64(steps) {
            throw error("a sequence has a length of \(length), X has \(steps) steps")
        }
        return lengths.map { Int($0) }
    }

    /// Initial states as [directions, batch, hiddenSize].
    private func states(
        _ inputs: [ExactTensor?], _ index: Int, _ name: String, _ shape: Shape
    ) throws(GraphError) -> [Double] {
        guard index < inputs.count, let initial = inputs[index] else {
            return [Double](repeating: 0, count: shape.count)
        }
        return try reals([attributes.isBatchFirst ? try swapped(initial, 0, 1) : initial], 0, name)
    }

    private func swapped(_ tensor: ExactTensor, _ one: Int, _ other: Int) throws(GraphError) -> ExactTensor {
        var permutation = Array(0..<tensor.shape.rank)
        permutation.swapAt(one, other)
        let target = try checkedShape(permutation.map { tensor.shape[$0] })
        return tensor.transposed(permutation, to: target)
    }
}
