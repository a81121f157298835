import Tensors

/// Tensor elements as raw bytes: little-endian, in C order.
enum BinaryTensor {
    /// Copies the elements. Throws for a boolean that is neither 0 nor 1.
    ///
    /// `bytes` must be as many as the shape takes.
    static func read(
        _ bytes: ArraySlice<UInt8>, name: String, elementType: ElementType, shape: Shape
    ) throws(RequestError) -> Tensor {
        if elementType == .bool, let index = bytes.firstIndex(where: { $0 > 1 }) {
            throw .input(
                name, reason: "element \(index - bytes.startIndex) is \(bytes[index]), a BOOL is 0 or 1")
        }
        return bytes.withUnsafeBytes { Tensor(elementType: elementType, shape: shape, copying: $0) }
    }
}
