import Tensors

/// Integers from a model file, held to a range in which sums and products of a few of them cannot overflow.
extension AttributeReader {
    /// The greatest kernel extent, stride, dilation, pad or block size.
    static let maximumExtent = Int(Int32.max)

    mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(GraphError) -> Int? {
        guard let value = try integer(name) else { return nil }
        try check(value, name, range)
        return value
    }

    mutating func integer(
        _ name: String, default value: Int, in range: ClosedRange<Int>
    ) throws(GraphError) -> Int {
        try integer(name, in: range) ?? value
    }

    mutating func integers(_ name: String, in range: ClosedRange<Int>) throws(GraphError) -> [Int]? {
        guard let values = try integers(name) else { return nil }
        for value in values { try check(value, name, range) }
        return values
    }

    /// One of the strings in `values`, the first when the attribute is absent.
    mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ name: String, default value: Value
    ) throws(GraphError) -> Value where Value.RawValue == String {
        guard let string = try string(name) else { return value }
        guard let choice = Value(rawValue: string) else {
            let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw .attribute(operatorType, name: name, reason: "is '\(string)', expected one of \(known)")
        }
        return choice
    }

    /// An element type by its number in ONNX's TensorProto.DataType; 0, UNDEFINED, is as good as none.
    mutating func elementType(_ name: String) throws(GraphError) -> ElementType? {
        guard let number = try integer(name), number != 0 else { return nil }
        guard let type = ElementType(onnxNumber: number) else {
            let known = ElementType.narrowName(onnxNumber: number).map { " (\($0))" } ?? ""
            throw .attribute(
                operatorType, name: name, reason: "is \(number)\(known), no element type that is known")
        }
        return type
    }

    private func check(_ value: Int, _ name: String, _ range: ClosedRange<Int>) throws(GraphError) {
        guard !range.contains(value) else { return }
        throw .attribute(
            operatorType, name: name,
            reason: "is \(value), expected \(range.lowerBound) to \(range.upperBound)")
    }
}
