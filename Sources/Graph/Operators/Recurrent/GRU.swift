import Tensors

/// Gated recurrent units: see `RecurrentLayer`.
///
///     z, r = φ(X·Wᵀ + H·Rᵀ + biases)      h = ψ(X·Wᵀ + (r⊙H)·Rᵀ + biases)      H' = (1 − z)⊙h + z⊙H
///
/// The gates of W, R and B are in the order z, r, h. Attributes: `activations` (Sigmoid, Tanh: φ, ψ),
/// `linear_before_reset` (0; 1: r is multiplied with H·Rᵀ and R's bias instead of H).
/// Source: Cho et al. 2014; ONNX GRU-7, 14, 22.
package struct GRU: RecurrentLayer {
    package static let type = "GRU"
    package static let gateCount = 3

    package let attributes: RecurrentAttributes
    private let isLinearBeforeReset: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        self.attributes = try RecurrentAttributes(&attributes, defaults: ["Sigmoid", "Tanh"])
        isLinearBeforeReset = try attributes.integer("linear_before_reset", default: 0) != 0
    }

    package func advance(_ state: RecurrentState, gates: [Double], _ pass: RecurrentPass) -> RecurrentState {
        let size = pass.run.hiddenSize
        let recurrent = pass.recurrent(state.hidden, gates: 0..<2)
        var (update, reset) = (state.hidden, state.hidden)
        for index in state.hidden.indices {
            let (item, unit) = (index / size, index % size)
            func gate(_ number: Int) -> Double {
                let place = number * size + unit
                let sum = gates[item * 3 * size + place] + recurrent[item * 2 * size + place]
                return pass.activations[0](pass.clipped(sum + pass.recurrentBias[place]))
            }
            (update[index], reset[index]) = (gate(0), gate(1))
        }
        let base = isLinearBeforeReset ? state.hidden : zip(reset, state.hidden).map { $0 * $1 }
        let hidden = pass.recurrent(base, gates: 2..<3)
        var next = state
        for index in state.hidden.indices {
            let (item, place) = (index / size, 2 * size + index % size)
            let linear = hidden[index] + pass.recurrentBias[place]
            let sum = gates[item * 3 * size + place] + (isLinearBeforeReset ? reset[index] * linear : linear)
            let candidate = pass.activations[1](pass.clipped(sum))
            next.hidden[index] = (1 - update[index]) * candidate + update[index] * state.hidden[index]
        }
        return next
    }
}
