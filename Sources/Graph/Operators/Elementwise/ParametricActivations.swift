import Glibc

// Activations with scalar attributes, one function each; shapes and types: see `UnaryFunction`.

/// x, below 0 alpha·x. Attributes: `alpha` (0.01). Source: ONNX LeakyRelu-6, 16.
package struct LeakyRelu: UnaryFunction {
    package static let type = "LeakyRelu"
    package let alpha: Double
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        alpha = Double(try attributes.real("alpha", default: 0.01))
    }
    package func value(at x: Double) -> Double { x < 0 ? alpha * x : x }
}

/// x, below 0 alpha·(eˣ − 1). Attributes: `alpha` (1). Source: Clevert et al. 2015; ONNX Elu-6, 22.
package struct Elu: UnaryFunction {
    package static let type = "Elu"
    package let alpha: Double
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        alpha = Double(try attributes.real("alpha", default: 1))
    }
    package func value(at x: Double) -> Double { x < 0 ? alpha * expm1(x) : x }
}

/// gamma·x, up to 0 gamma·alpha·(eˣ − 1). Attributes: `alpha` (1.6733), `gamma` (1.0507).
/// Source: Klambauer et al. 2017; ONNX Selu-6, 22.
package struct Selu: UnaryFunction {
    package static let type = "Selu"
    package let alpha: Double
    package let gamma: Double
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        alpha = Double(try attributes.real("alpha", default: 1.673_263_192_176_818_848))
        gamma = Double(try attributes.real("gamma", default: 1.050_701_022_148_132_324))
    }
    package func value(at x: Double) -> Double { gamma * (x > 0 ? x : alpha * expm1(x)) }
}

/// max(0, x) + min(0, alpha·(e^(x/alpha) − 1)). Attributes: `alpha` (1). Source: Barron 2017; ONNX Celu-12.
package struct Celu: UnaryFunction {
    package static let type = "Celu"
    package let alpha: Double
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        alpha = Double(try attributes.real("alpha", default: 1))
        guard alpha != 0 else { throw .attribute(Self.type, name: "alpha", reason: "is 0") }
    }
    package func value(at x: Double) -> Double {
        x.isNaN ? x : max(0, x) + min(0, alpha * expm1(x / alpha))
    }
}

/// x above alpha, else 0. Attributes: `alpha` (1). Source: ONNX ThresholdedRelu-10, 22.
package struct ThresholdedRelu: UnaryFunction {
    package static let type = "ThresholdedRelu"
    package let alpha: Double
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        alpha = Double(try attributes.real("alpha", default: 1))
    }
    package func value(at x: Double) -> Double { x <= alpha ? 0 : x }
}

/// max(0, min(1, alpha·x + beta)). Attributes: `alpha` (0.2), `beta` (0.5). Source: ONNX HardSigmoid-6, 22.
package struct HardSigmoid: UnaryFunction {
    package static let type = "HardSigmoid"
    package let alpha: Double
    package let beta: Double
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        alpha = Double(try attributes.real("alpha", default: 0.2))
        beta = Double(try attributes.real("beta", default: 0.5))
    }
    package func value(at x: Double) -> Double {
        let y = alpha * x + beta
        return y < 0 ? 0 : y > 1 ? 1 : y
    }
}

/// x·Φ(x), or its approximation by tanh. Attributes: `approximate` (`none`, `tanh`).
/// Source: Hendrycks & Gimpel 2016; ONNX Gelu-20.
package struct Gelu: UnaryFunction {
    private enum Approximation: String, CaseIterable { case none, tanh }

    package static let type = "Gelu"
    package let usesTanh: Bool
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        usesTanh = try attributes.choice("approximate", default: Approximation.none) == .tanh
    }
    package func value(at x: Double) -> Double {
        usesTanh
            ? 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
            : 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
    }
}

/// x·sigmoid(alpha·x). Attributes: `alpha` (1). Source: Ramachandran et al. 2017; ONNX Swish-24.
package struct Swish: UnaryFunction {
    package static let type = "Swish"
    package let alpha: Double
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        alpha = Double(try attributes.real("alpha", default: 1))
    }
    package func value(at x: Double) -> Double { x / (1 + exp(-alpha * x)) }
}
