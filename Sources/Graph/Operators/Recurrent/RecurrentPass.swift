import Tensors

/// The extents of one evaluation of a recurrent layer, and how long each sequence is.
struct RecurrentRun {
    let steps: Int
    let batch: Int
    let inputSize: Int
    let hiddenSize: Int
    let gateCount: Int
    let lengths: [Int]

    /// The elements of one state.
    var stateCount: Int { batch * hiddenSize }
    /// The elements of all gates of one sequence.
    var gateWidth: Int { gateCount * hiddenSize }
}

/// One direction of a recurrent layer with its weights.
package struct RecurrentPass {
    let run: RecurrentRun
    let activations: [RecurrentActivation]
    /// R's biases, [gates·hiddenSize].
    let recurrentBias: [Double]
    /// [3·hiddenSize], or empty without peepholes.
    let peepholes: [Double]
    private let isReversed: Bool
    private let clip: Double
    private let weights: [Double]
    private let recurrentWeights: [Double]
    private let inputBias: [Double]

    init(
        _ run: RecurrentRun, _ layer: some RecurrentLayer, _ inputs: [ExactTensor?], direction: Int
    ) throws(GraphError) {
        self.run = run
        let attributes = layer.attributes
        activations = attributes.activations[direction]
        clip = attributes.clip
        isReversed = attributes.direction == .reverse || direction == 1
        func part(_ index: Int, _ name: String, _ count: Int) throws(GraphError) -> [Double]? {
            guard let values = try layer.optionalReals(inputs, index, name) else { return nil }
            return Array(values[direction * count..<(direction + 1) * count])
        }
        let width = run.gateWidth
        weights = try part(1, "W", width * run.inputSize) ?? []
        recurrentWeights = try part(2, "R", width * run.hiddenSize) ?? []
        let biases = try part(3, "B", 2 * width) ?? [Double](repeating: 0, count: 2 * width)
        (inputBias, recurrentBias) = (Array(biases[..<width]), Array(biases[width...]))
        peepholes = try part(7, "P", 3 * run.hiddenSize) ?? []
    }

    /// Goes through the steps and gives Y of this direction, [steps, batch, hiddenSize], and the last states.
    func walk(
        _ xs: [Double], from initial: RecurrentState,
        advance: (RecurrentState, [Double]) -> RecurrentState
    ) -> (y: [Double], state: RecurrentState) {
        let width = run.gateWidth
        let inputGates = product(
            xs, weights, rows: run.steps * run.batch, inner: run.inputSize, columns: width)
        var y = [Double](repeating: 0, count: run.steps * run.stateCount)
        var state = initial
        var gates = [Double](repeating: 0, count: run.batch * width)
        for step in 0..<(run.stateCount > 0 ? run.steps : 0) {
            for item in 0..<run.batch where step < run.lengths[item] {
                let source = (time(step, item) * run.batch + item) * width
                for gate in 0..<width {
                    gates[item * width + gate] = inputGates[source + gate] + inputBias[gate]
                }
            }
            let next = advance(state, gates)
            for item in 0..<run.batch where step < run.lengths[item] {
                let part = item * run.hiddenSize..<(item + 1) * run.hiddenSize
                let target = time(step, item) * run.stateCount
                for index in part {
                    state.hidden[index] = next.hidden[index]
                    y[target + index] = next.hidden[index]
                    if !state.cell.isEmpty { state.cell[index] = next.cell[index] }
                }
            }
        }
        return (y, state)
    }

    /// A state [batch, hiddenSize] times the rows of R for some gates: [batch, gates.count·hiddenSize], without biases.
    func recurrent(_ state: [Double], gates: Range<Int>) -> [Double] {
        let size = run.hiddenSize * run.hiddenSize
        let rows = recurrentWeights[gates.lowerBound * size..<gates.upperBound * size]
        return product(
            state, Array(rows), rows: run.batch, inner: run.hiddenSize, columns: gates.count * run.hiddenSize)
    }

    func clipped(_ x: Double) -> Double { x.isNaN ? x : max(-clip, min(clip, x)) }

    /// The time at which a sequence is read at a step: backward from its own end.
    private func time(_ step: Int, _ item: Int) -> Int { isReversed ? run.lengths[item] - 1 - step : step }

    /// a [rows, inner] · bᵀ with b [columns, inner].
    private func product(_ a: [Double], _ b: [Double], rows: Int, inner: Int, columns: Int) -> [Double] {
        var result = [Double](repeating: 0, count: rows * columns)
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                result.withUnsafeMutableBufferPointer { result in
                    MatrixProduct(rows: rows, inner: inner, columns: columns)
                        .multiply(a, b, rowStride: 1, columnStride: inner, into: result)
                }
            }
        }
        return result
    }
}
