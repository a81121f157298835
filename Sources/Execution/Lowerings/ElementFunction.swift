import CKernels
import Graph
import Kernels

/// A function of one float that a kernel computes.
struct ElementFunction: Sendable {
    let name: String
    let kind: ck_unary_kind
    var alpha: Float = 0
    var beta: Float = 0

    /// The bounds, when the function only clamps.
    var bounds: (lower: Float, upper: Float)? { kind == CK_CLAMP ? (alpha, beta) : nil }

    /// `nil` when `node` is no such function of its first input, with constant parameters.
    init?(_ node: Node, _ context: LoweringContext) {
        guard node.domain.isEmpty, context.isFloat(node.input(0)), node.outputs.count == 1 else { return nil }
        func real(_ name: String, _ standard: Float) -> Float {
            if case .real(let value) = node.attributes[name] { value } else { standard }
        }
        name = node.type
        switch node.type {
        case "Relu": (kind, alpha, beta) = (CK_CLAMP, 0, .infinity)
        case "Clip":
            kind = CK_CLAMP
            guard let bounds = Self.clipBounds(node, context) else { return nil }
            (alpha, beta) = bounds
        case "LeakyRelu": (kind, alpha) = (CK_LEAKY_RELU, real("alpha", 0.01))
        case "Elu": (kind, alpha) = (CK_ELU, real("alpha", 1))
        case "Sigmoid": kind = CK_SIGMOID
        case "Tanh": kind = CK_TANH
        case "HardSigmoid":
            (kind, alpha, beta) = (CK_HARD_SIGMOID, real("alpha", 0.2), real("beta", 0.5))
        case "HardSwish": kind = CK_HARD_SWISH
        case "Swish":
            guard real("alpha", 1) == 1 else { return nil }
            kind = CK_SILU
        case "Erf": kind = CK_ERF
        case "Gelu":
            if case .string("tanh") = node.attributes["approximate"] {
                kind = CK_GELU_TANH
            } else {
                (kind, alpha) = (CK_GELU, 0.5)
            }
        case "Exp": kind = CK_EXP
        case "Sqrt": kind = CK_SQRT
        case "Neg": kind = CK_NEGATE
        case "Abs": kind = CK_ABSOLUTE
        default: return nil
        }
    }

    /// The function and `consumer`, which multiplies its value with a constant.
    func multiplied(by consumer: Node, operand: Int, _ context: LoweringContext) -> ElementFunction? {
        guard kind == CK_GELU, consumer.type == "Mul", consumer.domain.isEmpty, consumer.inputs.count == 2,
            let factor = context.constantScalar(consumer.inputs[1 - operand]),
            context.haveSameShape(consumer.inputs[operand], consumer.outputs[0])
        else { return nil }
        var result = self
        result.alpha *= factor
        return result
    }

    private static func clipBounds(_ node: Node, _ context: LoweringContext) -> (Float, Float)? {
        var bounds: [Float] = [-.infinity, .infinity]
        for (index, attribute) in ["min", "max"].enumerated() {
            if case .real(let value) = node.attributes[attribute] { bounds[index] = value }
            guard node.input(index + 1) != nil else { continue }
            guard let value = context.constantScalar(node.input(index + 1)) else { return nil }
            bounds[index] = value
        }
        // The specification ignores neither NaN bounds nor crossed ones; they are left to the evaluation.
        return bounds[0] <= bounds[1] ? (bounds[0], bounds[1]) : nil
    }
}
