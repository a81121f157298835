import Tensors

/// Long short-term memory: see `RecurrentLayer`.
///
///     i, o, f = φ(X·Wᵀ + H·Rᵀ + P⊙C + biases)      c = ψ(X·Wᵀ + H·Rᵀ + biases)
///     C' = f⊙C + i⊙c      H' = o⊙χ(C')             o's peephole sees C'
///
/// The gates of W, R and B are in the order i, o, f, c. Inputs after initial_h: initial_c (optional, 0), P [directions,
/// 3·hiddenSize] (optional, 0) for i, o, f. Outputs after Y_h: Y_c. Attributes: `activations` (Sigmoid, Tanh, Tanh: φ, ψ,
/// χ), `input_forget` (0; 1: f is 1 − i). Source: Gers et al. 2002; ONNX LSTM-7, 14, 22.
package struct LSTM: RecurrentLayer {
    package static let type = "LSTM"
    package static let gateCount = 4
    package static let hasCell = true

    package let attributes: RecurrentAttributes
    private let couplesInputAndForget: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        self.attributes = try RecurrentAttributes(&attributes, defaults: ["Sigmoid", "Tanh", "Tanh"])
        couplesInputAndForget = try attributes.flag("input_forget", default: false)
    }

    package var inputCount: ClosedRange<Int> { 3...8 }

    package func checkFurther(_ inputs: [ValueInfo?], hiddenSize: Dimension) throws(GraphError) {
        guard let peepholes = try optional(inputs, 7, "P") else { return }
        _ = try commonType(try required(inputs, 0, "X"), "X", peepholes, "P")
        let expected = [.known(attributes.directionCount), Dimension.product([hiddenSize, .known(3)])]
        try requireShape(peepholes, "P", expected)
    }

    package func advance(_ state: RecurrentState, gates: [Double], _ pass: RecurrentPass) -> RecurrentState {
        let size = pass.run.hiddenSize
        let recurrent = pass.recurrent(state.hidden, gates: 0..<4)
        var next = state
        for index in state.hidden.indices {
            let (base, unit) = (index / size * 4 * size, index % size)
            func gate(_ number: Int, peephole: Int? = nil, cell: Double = 0) -> Double {
                let place = number * size + unit
                var sum = gates[base + place] + recurrent[base + place] + pass.recurrentBias[place]
                if let peephole, !pass.peepholes.isEmpty {
                    sum += pass.peepholes[peephole * size + unit] * cell
                }
                return pass.clipped(sum)
            }
            let input = pass.activations[0](gate(0, peephole: 0, cell: state.cell[index]))
            let forget =
                couplesInputAndForget
                ? 1 - input : pass.activations[0](gate(2, peephole: 2, cell: state.cell[index]))
            let cell = forget * state.cell[index] + input * pass.activations[1](gate(3))
            let output = pass.activations[0](gate(1, peephole: 1, cell: cell))
            next.cell[index] = cell
            next.hidden[index] = output * pass.activations[2](cell)
        }
        return next
    }
}
