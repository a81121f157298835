import Tensors

/// A plain recurrent layer: H' = φ(X·Wᵀ + H·Rᵀ + biases). See `RecurrentLayer`.
///
/// Attributes: `activations` (Tanh). Source: Elman 1990; ONNX RNN-7, 14, 22.
package struct RNN: RecurrentLayer {
    package static let type = "RNN"
    package static let gateCount = 1

    package let attributes: RecurrentAttributes

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        self.attributes = try RecurrentAttributes(&attributes, defaults: ["Tanh"])
    }

    package func advance(_ state: RecurrentState, gates: [Double], _ pass: RecurrentPass) -> RecurrentState {
        let recurrent = pass.recurrent(state.hidden, gates: 0..<1)
        var next = state
        for index in state.hidden.indices {
            let bias = pass.recurrentBias[index % pass.run.hiddenSize]
            next.hidden[index] = pass.activations[0](pass.clipped(gates[index] + recurrent[index] + bias))
        }
        return next
    }
}
