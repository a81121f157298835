import Tensors

/// The input's elements as another type, rounded to it.
///
/// Inputs: input, any type. Outputs: output, shaped as input. Attributes: `to` (required, a TensorProto.DataType);
/// `saturate` (since 19) and `round_mode` (since 24) concern 8-bit floats alone, which are refused.
/// Source: ONNX Cast-6, 9, 13, 19, 21, 23, 24, 25.
package struct Cast: Operator {
    package static let type = "Cast"

    package let elementType: ElementType

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard let elementType = try attributes.elementType("to") else {
            throw .attribute(Self.type, name: "to", reason: "is required")
        }
        self.elementType = elementType
        attributes.ignoreConversionModes()
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        return [try converted(input, to: elementType)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        [try tensor(inputs, 0, "input").converted(to: elementType)]
    }
}

/// The input's elements as `target_type`'s type: see `Cast`.
///
/// Inputs: input and target_type, any shapes and types. Outputs: output, shaped as input.
/// Source: ONNX CastLike-15, 19, 21, 23, 24, 25.
package struct CastLike: Operator {
    package static let type = "CastLike"

    package init(_ attributes: inout AttributeReader) {
        attributes.ignoreConversionModes()
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (input, target) = (try required(inputs, 0, "input"), try required(inputs, 1, "target_type"))
        return [try converted(input, to: target.elementType)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        [try tensor(inputs, 0, "input").converted(to: try tensor(inputs, 1, "target_type").elementType)]
    }
}

extension Operator {
    /// Integers stay followed from one wide integer type to another: the extents of shapes fit both.
    fileprivate func converted(
        _ input: ValueInfo, to type: ElementType?
    ) throws(GraphError) -> ValueInfo {
        let isWide = type == .int64 || type == .int32 || type == .uint64
        let fits = (input.knownElements ?? []).allSatisfy { type != .int32 || Int32(exactly: $0) != nil }
        return try output(type, input.dimensions, elements: isWide && fits ? input.elements : nil)
    }
}

extension AttributeReader {
    fileprivate mutating func ignoreConversionModes() {
        if opset >= 19 { ignore("saturate") }
        if opset >= 24 { ignore("round_mode") }
    }
}
