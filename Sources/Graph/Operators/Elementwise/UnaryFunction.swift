import Tensors

/// An operator that maps each element by one function. Inputs: X. Outputs: Y, of X's shape and element type.
package protocol UnaryFunction: Operator {
    /// Whether integers are taken too, by `value(at:isUnsigned:)`.
    static var takesIntegers: Bool { get }

    func value(at x: Double) -> Double

    /// `isUnsigned`: `x` holds the bits of a `uint64`, or a narrower unsigned integer.
    func value(at x: Int64, isUnsigned: Bool) -> Int64
}

extension UnaryFunction {
    package static var takesIntegers: Bool { false }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func value(at x: Int64, isUnsigned: Bool) -> Int64 { x }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        if Self.takesIntegers { try requireNumbers(x, "X") } else { try requireFloating(x, "X") }
        return [try output(x.elementType, x.dimensions)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        switch x.elements {
        case .reals(let values):
            return [
                ExactTensor(
                    reals: values.map { value(at: $0) }, shape: shape, elementType: x.elementType)
            ]
        case .integers(let values):
            let isUnsigned = x.elementType.isUnsigned
            return [
                ExactTensor(
                    integers: values.map { value(at: $0, isUnsigned: isUnsigned) }, shape: shape,
                    elementType: x.elementType)
            ]
        }
    }
}

/// A unary function without attributes.
package protocol PlainFunction: UnaryFunction {
    init()
}

extension PlainFunction {
    package init(_ attributes: inout AttributeReader) throws(GraphError) { self.init() }
}

extension ElementType {
    var isUnsigned: Bool {
        switch self {
        case .uint8, .uint16, .uint32, .uint64: true
        default: false
        }
    }
}
