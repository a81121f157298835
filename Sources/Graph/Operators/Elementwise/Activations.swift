import Glibc

// Activations without attributes, one function each; shapes and types: see `UnaryFunction`.

/// max(x, 0). Source: ONNX Relu-6, 13, 14 (integers since 14).
package struct Relu: PlainFunction {
    package static let type = "Relu"
    package static let takesIntegers = true
    package init() {}
    package func value(at x: Double) -> Double { x < 0 ? 0 : x }
    package func value(at x: Int64, isUnsigned: Bool) -> Int64 { isUnsigned ? x : max(x, 0) }
}

/// 1/(1 + e⁻ˣ). Source: ONNX Sigmoid-6, 13.
package struct Sigmoid: PlainFunction {
    package static let type = "Sigmoid"
    package init() {}
    package func value(at x: Double) -> Double { 1 / (1 + exp(-x)) }
}

/// Source: ONNX Tanh-6, 13.
package struct Tanh: PlainFunction {
    package static let type = "Tanh"
    package init() {}
    package func value(at x: Double) -> Double { tanh(x) }
}

/// ln(1 + eˣ), without overflow. Source: ONNX Softplus-1, 22.
package struct Softplus: PlainFunction {
    package static let type = "Softplus"
    package init() {}
    package func value(at x: Double) -> Double { Self.softplus(x) }

    static func softplus(_ x: Double) -> Double { x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)) }
}

/// x/(1 + |x|). Source: ONNX Softsign-1, 22.
package struct Softsign: PlainFunction {
    package static let type = "Softsign"
    package init() {}
    package func value(at x: Double) -> Double { x / (1 + abs(x)) }
}

/// x·tanh(ln(1 + eˣ)). Source: Misra 2019; ONNX Mish-18, 22.
package struct Mish: PlainFunction {
    package static let type = "Mish"
    package init() {}
    package func value(at x: Double) -> Double { x * tanh(Softplus.softplus(x)) }
}

/// x·max(0, min(1, x/6 + ½)). Source: Howard et al. 2019, §5.2; ONNX HardSwish-14, 22.
package struct HardSwish: PlainFunction {
    package static let type = "HardSwish"
    package init() {}
    package func value(at x: Double) -> Double { x * max(0, min(1, x / 6 + 0.5)) }
}
