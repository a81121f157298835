import Tensors

/// A connective of truth values. Inputs: see `BinaryOperator`, `bool`. Outputs: C, `bool`.
package protocol Connective: BinaryOperator {
    init()
    static func combine(_ a: Int64, _ b: Int64) -> Int64
}

extension Connective {
    package init(_ attributes: inout AttributeReader) throws(GraphError) { self.init() }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        try requireType(try required(inputs, 0, "A"), "A", .bool)
        try requireType(try required(inputs, 1, "B"), "B", .bool)
        return [try infer(inputs, to: .bool)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let (a, b, shape) = try operands(inputs)
        let (first, second) = (try integers([a], 0, "A"), try integers([b], 0, "B"))
        let result = first.indices.map { Self.combine(first[$0], second[$0]) }
        return [ExactTensor(integers: result, shape: shape, elementType: .bool)]
    }
}

/// Source: ONNX And-7.
package struct And: Connective {
    package static let type = "And"
    package init() {}
    package static func combine(_ a: Int64, _ b: Int64) -> Int64 { a & b }
}

/// Source: ONNX Or-7.
package struct Or: Connective {
    package static let type = "Or"
    package init() {}
    package static func combine(_ a: Int64, _ b: Int64) -> Int64 { a | b }
}

/// Source: ONNX Xor-7.
package struct Xor: Connective {
    package static let type = "Xor"
    package init() {}
    package static func combine(_ a: Int64, _ b: Int64) -> Int64 { a ^ b }
}

/// The opposite truth value. Inputs: X, `bool`. Outputs: Y, shaped as X. Source: ONNX Not-1.
package struct Not: Operator {
    package static let type = "Not"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        try requireType(x, "X", .bool)
        return [try output(.bool, x.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let result = try integers(inputs, 0, "X").map { 1 - $0 }
        return [ExactTensor(integers: result, shape: shape, elementType: .bool)]
    }
}
