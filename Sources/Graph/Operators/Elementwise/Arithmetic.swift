import Tensors

/// Addition and its kin. Shapes: see `BinaryOperator`; any number type, integers wrap to their width.
package protocol Arithmetic: BinaryOperator {
    init()
    static func combine(_ a: Double, _ b: Double) -> Double
    /// `nil`: there is no result. `isUnsigned`: of a `uint64` or a narrower unsigned type.
    static func combine(_ a: Int64, _ b: Int64, isUnsigned: Bool) -> Int64?
    /// The integer e for which a ∘ e = a, which keeps a symbol.
    static var rightIdentity: Int { get }
    /// Whether e ∘ b = b as well.
    static var isCommutative: Bool { get }
}

extension Arithmetic {
    package init(_ attributes: inout AttributeReader) throws(GraphError) { self.init() }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (a, b) = (try required(inputs, 0, "A"), try required(inputs, 1, "B"))
        let type = try commonType(a, "A", b, "B")
        try requireNumbers(ValueInfo(type, nil), "A")
        return [try infer(inputs, to: type)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let (a, b, shape) = try operands(inputs)
        if let first = a.reals, let second = b.reals {
            let result = first.indices.map { Self.combine(first[$0], second[$0]) }
            return [ExactTensor(reals: result, shape: shape, elementType: a.elementType)]
        }
        let (first, second) = (try integers([a], 0, "A"), try integers([b], 0, "B"))
        let isUnsigned = a.elementType.isUnsigned
        var result: [Int64] = []
        result.reserveCapacity(first.count)
        for index in first.indices {
            guard let value = Self.combine(first[index], second[index], isUnsigned: isUnsigned) else {
                throw error("an integer is divided by zero")
            }
            result.append(value)
        }
        return [ExactTensor(integers: result, shape: shape, elementType: a.elementType)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func follow(_ a: Dimension, _ b: Dimension) -> Dimension {
        if b == .known(Self.rightIdentity) { return a }
        if Self.isCommutative, a == .known(Self.rightIdentity) { return b }
        // Known integers stay exact: shapes lie far from both ends of Int64.
        guard let a = a.value, let b = b.value,
            let result = Self.combine(Int64(a), Int64(b), isUnsigned: false)
        else { return .unknown }
        return .known(Int(result))
    }
}

/// A + B. Source: ONNX Add-7, 13, 14.
package struct Add: Arithmetic {
    package static let type = "Add"
    package static let rightIdentity = 0
    package static let isCommutative = true
    package init() {}
    package static func combine(_ a: Double, _ b: Double) -> Double { a + b }
    package static func combine(_ a: Int64, _ b: Int64, isUnsigned: Bool) -> Int64? { a &+ b }
}

/// A − B. Source: ONNX Sub-7, 13, 14.
package struct Sub: Arithmetic {
    package static let type = "Sub"
    package static let rightIdentity = 0
    package static let isCommutative = false
    package init() {}
    package static func combine(_ a: Double, _ b: Double) -> Double { a - b }
    package static func combine(_ a: Int64, _ b: Int64, isUnsigned: Bool) -> Int64? { a &- b }
}

/// A · B. Source: ONNX Mul-7, 13, 14.
package struct Mul: Arithmetic {
    package static let type = "Mul"
    package static let rightIdentity = 1
    package static let isCommutative = true
    package init() {}
    package static func combine(_ a: Double, _ b: Double) -> Double { a * b }
    package static func combine(_ a: Int64, _ b: Int64, isUnsigned: Bool) -> Int64? { a &* b }
}

/// A / B; integers are truncated toward zero and refuse a divisor of zero. Source: ONNX Div-7, 13, 14.
package struct Div: Arithmetic {
    package static let type = "Div"
    package static let rightIdentity = 1
    package static let isCommutative = false
    package init() {}
    package static func combine(_ a: Double, _ b: Double) -> Double { a / b }
    package static func combine(_ a: Int64, _ b: Int64, isUnsigned: Bool) -> Int64? {
        guard b != 0 else { return nil }
        if isUnsigned { return Int64(bitPattern: UInt64(bitPattern: a) / UInt64(bitPattern: b)) }
        // The one quotient that overflows, -2⁶³ by -1, wraps.
        return a.dividedReportingOverflow(by: b).partialValue
    }
}
