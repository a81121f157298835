import Glibc

/// One of the functions that a recurrent cell applies to its gates.
struct RecurrentActivation: Sendable {
    private enum Function: String {
        case relu, tanh, sigmoid, affine, leakyrelu, thresholdedrelu, scaledtanh, hardsigmoid, elu, softsign,
            softplus
    }

    private let function: Function
    private let alpha: Double
    private let beta: Double

    /// `name` in any case. `alphas` and `betas` lose their first value when the function takes one; a function for which
    /// none is left has its default, that of the operator of its name.
    init?(_ name: String, alphas: inout ArraySlice<Float>, betas: inout ArraySlice<Float>) {
        guard let function = Function(rawValue: name.lowercased()) else { return nil }
        self.function = function
        let defaultAlpha: Float?
        let defaultBeta: Float?
        switch function {
        case .affine: (defaultAlpha, defaultBeta) = (1, 0)
        case .leakyrelu: (defaultAlpha, defaultBeta) = (0.01, nil)
        case .thresholdedrelu, .elu: (defaultAlpha, defaultBeta) = (1, nil)
        case .scaledtanh: (defaultAlpha, defaultBeta) = (1, 1)
        case .hardsigmoid: (defaultAlpha, defaultBeta) = (0.2, 0.5)
        case .relu, .tanh, .sigmoid, .softsign, .softplus: (defaultAlpha, defaultBeta) = (nil, nil)
        }
        alpha = Double(defaultAlpha.map { alphas.popFirst() ?? $0 } ?? 0)
        beta = Double(defaultBeta.map { betas.popFirst() ?? $0 } ?? 0)
    }

    func callAsFunction(_ x: Double) -> Double {
        switch function {
        case .relu: x < 0 ? 0 : x
        case .tanh: Glibc.tanh(x)
        case .sigmoid: 1 / (1 + exp(-x))
        case .affine: alpha * x + beta
        case .leakyrelu: x < 0 ? alpha * x : x
        case .thresholdedrelu: x < alpha ? 0 : x
        case .scaledtanh: alpha * Glibc.tanh(beta * x)
        case .hardsigmoid: max(0, min(1, alpha * x + beta))
        case .elu: x < 0 ? alpha * expm1(x) : x
        case .softsign: x / (1 + abs(x))
        case .softplus: Softplus.softplus(x)
        }
    }
}
