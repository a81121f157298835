import Glibc
import Tensors

/// Owned floats, zeroed, aligned to cache lines and on huge pages where that is worth it.
package final class FloatMemory: @unchecked Sendable {
    // The memory is written by whoever made it, before it is shared, and stays valid until `deinit`.
    package let pointer: UnsafeMutablePointer<Float>
    package let count: Int

    private let mapping: HugePageMapping?
    /// What the heap gave where there is no mapping.
    private let allocation: UnsafeMutableRawPointer?

    /// Kernels read whole vectors: so many floats behind the last one may be read as well.
    package static let slack = 64

    /// Traps when the system has no memory for weights that a model file holds.
    package init(count: Int) {
        precondition(count >= 0, "a memory of \(count) floats")
        let byteCount = (count + Self.slack) * MemoryLayout<Float>.stride
        mapping = byteCount < HugePageMapping.hugePageByteCount ? nil : HugePageMapping(byteCount: byteCount)
        // Heap memory that is new to the process is zero already, and not touched before it is filled.
        allocation = mapping == nil ? calloc(1, byteCount + Storage.alignment) : nil
        guard let address = mapping?.start ?? allocation?.alignedUp(toMultipleOf: Storage.alignment) else {
            preconditionFailure("no memory for \(byteCount) bytes")
        }
        pointer = address.bindMemory(to: Float.self, capacity: count + Self.slack)
        self.count = count
    }

    /// An aligned copy of a tensor's floats.
    package convenience init(_ tensor: Tensor) {
        precondition(tensor.elementType == .float32, "floats from \(tensor.elementType)")
        self.init(count: tensor.shape.count)
        tensor.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(start: pointer, count: bytes.count).copyMemory(from: bytes)
        }
    }

    package convenience init(_ elements: [Float]) {
        self.init(count: elements.count)
        elements.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { pointer.update(from: base, count: source.count) }
        }
    }

    deinit { free(allocation) }
}
