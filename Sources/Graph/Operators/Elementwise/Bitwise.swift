import Tensors

/// A connective of the bits of integers. Inputs: see `BinaryOperator`, integers. Outputs: C, of their type.
package protocol BitConnective: BinaryOperator {
    init()
    static func combine(_ a: Int64, _ b: Int64) -> Int64
}

extension BitConnective {
    package init(_ attributes: inout AttributeReader) throws(GraphError) { self.init() }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (a, b) = (try required(inputs, 0, "A"), try required(inputs, 1, "B"))
        let type = try commonType(a, "A", b, "B")
        try requireIntegers(ValueInfo(type, nil), "A")
        return [try infer(inputs, to: type)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let (a, b, shape) = try operands(inputs)
        let (first, second) = (try integers([a], 0, "A"), try integers([b], 0, "B"))
        let result = first.indices.map { Self.combine(first[$0], second[$0]) }
        return [ExactTensor(integers: result, shape: shape, elementType: a.elementType)]
    }
}

/// Source: ONNX BitwiseAnd-18.
package struct BitwiseAnd: BitConnective {
    package static let type = "BitwiseAnd"
    package init() {}
    package static func combine(_ a: Int64, _ b: Int64) -> Int64 { a & b }
}

/// Source: ONNX BitwiseOr-18.
package struct BitwiseOr: BitConnective {
    package static let type = "BitwiseOr"
    package init() {}
    package static func combine(_ a: Int64, _ b: Int64) -> Int64 { a | b }
}

/// Source: ONNX BitwiseXor-18.
package struct BitwiseXor: BitConnective {
    package static let type = "BitwiseXor"
    package init() {}
    package static func combine(_ a: Int64, _ b: Int64) -> Int64 { a ^ b }
}

/// Every bit turned over. Inputs: X, integers. Outputs: Y, as X. Source: ONNX BitwiseNot-18.
package struct BitwiseNot: Operator {
    package static let type = "BitwiseNot"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        try requireIntegers(x, "X")
        return [try output(x.elementType, x.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        let result = try integers(inputs, 0, "X").map { ~$0 }
        return [ExactTensor(integers: result, shape: shape, elementType: x.elementType)]
    }
}

/// X's bits moved by Y places, zeros moving in; a move by the type's width or more leaves 0.
///
/// Shapes: see `BinaryOperator`. Types: unsigned integers. Attributes: `direction` (`LEFT`, `RIGHT`; required).
/// Source: ONNX BitShift-11.
package struct BitShift: BinaryOperator {
    private enum Direction: String, CaseIterable {
        case left = "LEFT"
        case right = "RIGHT"
    }

    package static let type = "BitShift"

    private let direction: Direction

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard try attributes.string("direction") != nil else {
            throw .attribute(Self.type, name: "direction", reason: "is required")
        }
        direction = try attributes.choice("direction", default: .left)
    }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, y) = (try required(inputs, 0, "X"), try required(inputs, 1, "Y"))
        let type = try commonType(x, "X", y, "Y")
        try requireType(ValueInfo(type, nil), "X", .uint8, .uint16, .uint32, .uint64)
        return [try infer(inputs, to: type)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let (x, y, shape) = try operands(inputs)
        let (bits, places) = (try integers([x], 0, "X"), try integers([y], 0, "Y"))
        let result = bits.indices.map { index in
            // Both are kept as Int64 of the same bits; Swift's own shift leaves 0 past the width.
            let (value, count) = (UInt64(bitPattern: bits[index]), UInt64(bitPattern: places[index]))
            return Int64(bitPattern: direction == .left ? value << count : value >> count)
        }
        return [ExactTensor(integers: result, shape: shape, elementType: x.elementType)]
    }
}
