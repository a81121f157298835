import Tensors

/// A comparison of elements. Inputs: see `BinaryOperator`. Outputs: C, `bool`.
package protocol Comparison: BinaryOperator {
    init()
    static var takesBooleans: Bool { get }
    static func holds(_ a: Double, _ b: Double) -> Bool
    static func holds(_ a: Int64, _ b: Int64, order: IntegerOrder) -> Bool
}

extension Comparison {
    package init(_ attributes: inout AttributeReader) throws(GraphError) { self.init() }

    package static var takesBooleans: Bool { false }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (a, b) = (try required(inputs, 0, "A"), try required(inputs, 1, "B"))
        let type = try commonType(a, "A", b, "B")
        if !Self.takesBooleans { try requireNumbers(ValueInfo(type, nil), "A") }
        return [try infer(inputs, to: .bool)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let (a, b, shape) = try operands(inputs)
        let result: [Int64]
        if let first = a.reals, let second = b.reals {
            result = first.indices.map { Self.holds(first[$0], second[$0]) ? 1 : 0 }
        } else {
            let (first, second) = (try integers([a], 0, "A"), try integers([b], 0, "B"))
            let order = IntegerOrder(a.elementType)
            result = first.indices.map { Self.holds(first[$0], second[$0], order: order) ? 1 : 0 }
        }
        return [ExactTensor(integers: result, shape: shape, elementType: .bool)]
    }
}

/// A = B, booleans too. Source: ONNX Equal-7, 11, 13, 19.
package struct Equal: Comparison {
    package static let type = "Equal"
    package static let takesBooleans = true
    package init() {}
    package static func holds(_ a: Double, _ b: Double) -> Bool { a == b }
    package static func holds(_ a: Int64, _ b: Int64, order: IntegerOrder) -> Bool { a == b }
}

/// A < B. Source: ONNX Less-7, 9, 13.
package struct Less: Comparison {
    package static let type = "Less"
    package init() {}
    package static func holds(_ a: Double, _ b: Double) -> Bool { a < b }
    package static func holds(_ a: Int64, _ b: Int64, order: IntegerOrder) -> Bool { order.isLess(a, b) }
}

/// A > B. Source: ONNX Greater-7, 9, 13.
package struct Greater: Comparison {
    package static let type = "Greater"
    package init() {}
    package static func holds(_ a: Double, _ b: Double) -> Bool { a > b }
    package static func holds(_ a: Int64, _ b: Int64, order: IntegerOrder) -> Bool { order.isLess(b, a) }
}

/// A ≤ B. Source: ONNX LessOrEqual-12, 16.
package struct LessOrEqual: Comparison {
    package static let type = "LessOrEqual"
    package init() {}
    package static func holds(_ a: Double, _ b: Double) -> Bool { a <= b }
    package static func holds(_ a: Int64, _ b: Int64, order: IntegerOrder) -> Bool { !order.isLess(b, a) }
}

/// A ≥ B. Source: ONNX GreaterOrEqual-12, 16.
package struct GreaterOrEqual: Comparison {
    package static let type = "GreaterOrEqual"
    package init() {}
    package static func holds(_ a: Double, _ b: Double) -> Bool { a >= b }
    package static func holds(_ a: Int64, _ b: Int64, order: IntegerOrder) -> Bool { !order.isLess(a, b) }
}
