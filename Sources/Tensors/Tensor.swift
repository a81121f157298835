/// An immutable array of numbers in C order, little-endian: its elements are owned or lie in a mapped file.
package struct Tensor: Sendable {
    package let elementType: ElementType
    package let shape: Shape
    private let storage: Storage
    private let byteOffset: Int

    /// The elements that begin `byteOffset` bytes into `storage`; they need not be aligned.
    ///
    /// Throws `TensorError.byteCount` when the storage ends before them.
    package init(
        elementType: ElementType, shape: Shape, storage: Storage, byteOffset: Int = 0
    ) throws(TensorError) {
        let byteCount = shape.count * elementType.byteCount
        let available = storage.bytes.count - byteOffset
        guard byteOffset >= 0, byteCount <= available else {
            throw .byteCount(
                elementType: elementType, shape: shape.dimensions, expected: byteCount,
                actual: max(0, available))
        }
        self.elementType = elementType
        self.shape = shape
        self.storage = storage
        self.byteOffset = byteOffset
    }

    /// New memory, zeroed and then filled by `initialize`, which gets exactly the tensor's bytes.
    package init<Failure: Error>(
        elementType: ElementType, shape: Shape,
        initialize: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        self.elementType = elementType
        self.shape = shape
        storage = try Storage(byteCount: shape.count * elementType.byteCount, initialize: initialize)
        byteOffset = 0
    }

    /// New memory that holds anything: the caller fills `memory` before anyone else sees the tensor.
    package init(unfilled elementType: ElementType, shape: Shape, memory: inout UnsafeMutableRawBufferPointer)
    {
        self.elementType = elementType
        self.shape = shape
        storage = Storage(unfilledByteCount: shape.count * elementType.byteCount, memory: &memory)
        byteOffset = 0
    }

    /// A copy of `bytes`, which must be exactly as many as the tensor takes.
    package init(elementType: ElementType, shape: Shape, copying bytes: UnsafeRawBufferPointer) {
        var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        self.init(unfilled: elementType, shape: shape, memory: &memory)
        precondition(bytes.count == memory.count, "\(bytes.count) bytes for \(elementType)\(shape)")
        memory.copyMemory(from: bytes)
    }

    /// Throws `TensorError.elementCount` when there are not as many elements as the shape has.
    package init<Element: TensorElement>(_ elements: [Element], shape: Shape) throws(TensorError) {
        guard elements.count == shape.count else {
            throw .elementCount(shape: shape.dimensions, expected: shape.count, actual: elements.count)
        }
        self = elements.withUnsafeBytes {
            Tensor(elementType: Element.elementType, shape: shape, copying: $0)
        }
    }

    /// A vector.
    package init<Element: TensorElement>(_ elements: [Element]) {
        elementType = Element.elementType
        // An array's count is addressable, so its shape cannot be refused.
        shape = try! Shape([elements.count])
        storage = Storage(byteCount: elements.count * MemoryLayout<Element>.stride) { bytes in
            elements.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
        byteOffset = 0
    }

    package var byteCount: Int { shape.count * elementType.byteCount }

    /// Calls `body` with the tensor's bytes, which may be unaligned and are valid during the call.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeRawBufferPointer(rebasing: storage.bytes[byteOffset..<byteOffset + byteCount]))
    }

    /// The tensor's bytes and what may be read behind them, valid while the tensor is kept alive.
    ///
    /// They need not be aligned to anything.
    package var readableBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: storage.bytes.baseAddress.map { $0 + byteOffset },
            count: storage.readableByteCount - byteOffset)
    }

    /// Lets go of the memory that the elements take if they lie in a mapped file: for whoever has read them all and does
    /// not expect to do so again.
    package func releasePages() { storage.releasePages(byteOffset..<byteOffset + byteCount) }

    /// The same tensor in memory of its own where it lies in a mapped file: nobody who writes the file changes it.
    package var detached: Tensor {
        guard storage.isMapped else { return self }
        return withUnsafeBytes { Tensor(elementType: elementType, shape: shape, copying: $0) }
    }

    /// A copy of the elements.
    ///
    /// Throws `TensorError.elementType` when they are of another type, and `TensorError.booleanByte` for a boolean
    /// that is neither 0 nor 1.
    package func elements<Element: TensorElement>(as type: Element.Type) throws(TensorError) -> [Element] {
        guard Element.elementType == elementType else {
            throw .elementType(expected: Element.elementType, actual: elementType)
        }
        return try withUnsafeBytes { (bytes) throws(TensorError) -> [Element] in
            if elementType == .bool, let index = bytes.firstIndex(where: { $0 > 1 }) {
                throw .booleanByte(value: bytes[index], index: index)
            }
            return [Element](unsafeUninitializedCapacity: shape.count) { buffer, count in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
                count = shape.count
            }
        }
    }

    /// The same elements in another shape. Throws `TensorError.elementCount` when the counts differ.
    package func reshaped(to shape: Shape) throws(TensorError) -> Tensor {
        guard shape.count == self.shape.count else {
            throw .elementCount(shape: shape.dimensions, expected: shape.count, actual: self.shape.count)
        }
        return try Tensor(elementType: elementType, shape: shape, storage: storage, byteOffset: byteOffset)
    }

    /// Part of the first axis, of the same memory. Traps when the tensor has no such range.
    package func items(_ range: Range<Int>) -> Tensor {
        precondition(
            shape.rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0],
            "items \(range) of \(shape)")
        let itemByteCount = shape[0] == 0 ? 0 : byteCount / shape[0]
        // Both hold: a part has no more elements than the whole, and its bytes lie among the whole's.
        let part = try! Shape([range.count] + shape.dimensions.dropFirst())
        return try! Tensor(
            elementType: elementType, shape: part, storage: storage,
            byteOffset: byteOffset + range.lowerBound * itemByteCount)
    }
}
