import Glibc

// Inverse and hyperbolic functions, one each; shapes and types: see `UnaryFunction`. Outside their domain they are NaN.

/// Source: ONNX Acos-7, 22.
package struct Acos: PlainFunction {
    package static let type = "Acos"
    package init() {}
    package func value(at x: Double) -> Double { acos(x) }
}

/// Source: ONNX Asin-7, 22.
package struct Asin: PlainFunction {
    package static let type = "Asin"
    package init() {}
    package func value(at x: Double) -> Double { asin(x) }
}

/// Source: ONNX Cosh-9, 22.
package struct Cosh: PlainFunction {
    package static let type = "Cosh"
    package init() {}
    package func value(at x: Double) -> Double { cosh(x) }
}

/// Source: ONNX Sinh-9, 22.
package struct Sinh: PlainFunction {
    package static let type = "Sinh"
    package init() {}
    package func value(at x: Double) -> Double { sinh(x) }
}

/// Source: ONNX Acosh-9, 22.
package struct Acosh: PlainFunction {
    package static let type = "Acosh"
    package init() {}
    package func value(at x: Double) -> Double { acosh(x) }
}

/// Source: ONNX Asinh-9, 22.
package struct Asinh: PlainFunction {
    package static let type = "Asinh"
    package init() {}
    package func value(at x: Double) -> Double { asinh(x) }
}

/// Source: ONNX Atanh-9, 22.
package struct Atanh: PlainFunction {
    package static let type = "Atanh"
    package init() {}
    package func value(at x: Double) -> Double { atanh(x) }
}
