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
        var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        let tensor = Tensor(unfilled: elementType, shape: shape, memory: &memory)
        precondition(bytes.count == memory.count, "\(bytes.count) bytes for \(elementType)\(shape)")
        bytes.withUnsafeBytes { memory.copyMemory(from: $0) }
        return tensor
    }
}
