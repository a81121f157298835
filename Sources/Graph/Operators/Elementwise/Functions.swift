import Glibc

// Functions without attributes, one each; shapes and types: see `UnaryFunction`.

/// |x|, integers too; the least integer wraps to itself. Source: ONNX Abs-6, 13.
package struct Abs: PlainFunction {
    package static let type = "Abs"
    package static let takesIntegers = true
    package init() {}
    package func value(at x: Double) -> Double { x.magnitude }
    package func value(at x: Int64, isUnsigned: Bool) -> Int64 { isUnsigned || x >= 0 ? x : 0 &- x }
}

/// −x, integers too. Source: ONNX Neg-6, 13.
package struct Neg: PlainFunction {
    package static let type = "Neg"
    package static let takesIntegers = true
    package init() {}
    package func value(at x: Double) -> Double { -x }
    package func value(at x: Int64, isUnsigned: Bool) -> Int64 { 0 &- x }
}

/// −1, 0 or 1, integers too; NaN stays. Source: ONNX Sign-9, 13.
package struct Sign: PlainFunction {
    package static let type = "Sign"
    package static let takesIntegers = true
    package init() {}
    package func value(at x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : x }
    package func value(at x: Int64, isUnsigned: Bool) -> Int64 { isUnsigned ? (x == 0 ? 0 : 1) : x.signum() }
}

/// Source: ONNX Floor-6, 13.
package struct Floor: PlainFunction {
    package static let type = "Floor"
    package init() {}
    package func value(at x: Double) -> Double { x.rounded(.down) }
}

/// Source: ONNX Ceil-6, 13.
package struct Ceil: PlainFunction {
    package static let type = "Ceil"
    package init() {}
    package func value(at x: Double) -> Double { x.rounded(.up) }
}

/// To nearest, ties to even. Source: ONNX Round-11, 22.
package struct Round: PlainFunction {
    package static let type = "Round"
    package init() {}
    package func value(at x: Double) -> Double { x.rounded(.toNearestOrEven) }
}

/// √x, NaN below 0. Source: ONNX Sqrt-6, 13.
package struct Sqrt: PlainFunction {
    package static let type = "Sqrt"
    package init() {}
    package func value(at x: Double) -> Double { x.squareRoot() }
}

/// 1/x. Source: ONNX Reciprocal-6, 13.
package struct Reciprocal: PlainFunction {
    package static let type = "Reciprocal"
    package init() {}
    package func value(at x: Double) -> Double { 1 / x }
}

/// eˣ. Source: ONNX Exp-6, 13.
package struct Exp: PlainFunction {
    package static let type = "Exp"
    package init() {}
    package func value(at x: Double) -> Double { exp(x) }
}

/// ln x. Source: ONNX Log-6, 13.
package struct Log: PlainFunction {
    package static let type = "Log"
    package init() {}
    package func value(at x: Double) -> Double { log(x) }
}

/// The error function; of integers it is truncated. Source: ONNX Erf-9, 13.
package struct Erf: PlainFunction {
    package static let type = "Erf"
    package static let takesIntegers = true
    package init() {}
    package func value(at x: Double) -> Double { erf(x) }
    package func value(at x: Int64, isUnsigned: Bool) -> Int64 {
        Int64(erf(isUnsigned ? Double(UInt64(bitPattern: x)) : Double(x)))
    }
}

/// Source: ONNX Sin-7, 22.
package struct Sin: PlainFunction {
    package static let type = "Sin"
    package init() {}
    package func value(at x: Double) -> Double { sin(x) }
}

/// Source: ONNX Cos-7, 22.
package struct Cos: PlainFunction {
    package static let type = "Cos"
    package init() {}
    package func value(at x: Double) -> Double { cos(x) }
}

/// Source: ONNX Tan-7, 22.
package struct Tan: PlainFunction {
    package static let type = "Tan"
    package init() {}
    package func value(at x: Double) -> Double { tan(x) }
}

/// Source: ONNX Atan-7, 22.
package struct Atan: PlainFunction {
    package static let type = "Atan"
    package init() {}
    package func value(at x: Double) -> Double { atan(x) }
}
