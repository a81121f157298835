import Tensors

/// Elements of a storage, found by a stride for each axis.
struct StridedView {
    struct Refusal: Error {
        let reason: String
    }

    let shape: Shape
    private let strides: [Int]
    private let offset: Int

    /// Strides and offset count elements, of which the storage has `elementCount`.
    ///
    /// Throws when an element would lie outside.
    init(sizes: [Int], strides: [Int], offset: Int, elementCount: Int) throws {
        precondition(sizes.count == strides.count)
        shape = try Shape(sizes)
        self.strides = strides
        self.offset = offset
        guard offset >= 0, strides.allSatisfy({ $0 >= 0 }) else {
            throw Refusal(reason: "an offset or a stride is negative")
        }
        guard shape.count > 0 else { return }
        var last = offset
        for (size, stride) in zip(sizes, strides) {
            let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, sumOverflow) = last.addingReportingOverflow(reach)
            guard !overflow, !sumOverflow else { throw Refusal(reason: "its strides are too large") }
            last = sum
        }
        guard last < elementCount else {
            throw Refusal(reason: "reaches element \(last) of a storage that has \(elementCount)")
        }
    }

    /// Whether the elements stand in C order without gaps. An axis of one element may have any stride.
    var isContiguous: Bool {
        shape.count > 0
            && zip(shape.dimensions.indices, shape.strides).allSatisfy { axis, stride in
                shape[axis] == 1 || strides[axis] == stride
            }
    }

    /// The elements in C order; `bytes` is the storage.
    func rearranged(_ bytes: UnsafeRawBufferPointer, elementType: ElementType) -> Tensor {
        Tensor(elementType: elementType, shape: shape) { target in
            switch elementType.byteCount {
            case 1: copy(bytes, to: target, UInt8.self)
            case 2: copy(bytes, to: target, UInt16.self)
            case 4: copy(bytes, to: target, UInt32.self)
            default: copy(bytes, to: target, UInt64.self)
            }
        }
    }

    private func copy<Word: FixedWidthInteger>(
        _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, _: Word.Type
    ) {
        guard shape.count > 0 else { return }
        let width = MemoryLayout<Word>.size
        let innerCount = shape.dimensions.last ?? 1
        let innerStride = strides.last ?? 0
        var counters = [Int](repeating: 0, count: max(0, shape.rank - 1))
        var base = offset
        var written = 0
        while true {
            for index in 0..<innerCount {
                let word = source.loadUnaligned(
                    fromByteOffset: (base + index * innerStride) * width, as: Word.self)
                target.storeBytes(of: word, toByteOffset: written, as: Word.self)
                written += width
            }
            // An axis of one element may have any stride: the sums wrap and come back.
            var axis = counters.count - 1
            while axis >= 0 {
                counters[axis] += 1
                base &+= strides[axis]
                if counters[axis] < shape[axis] { break }
                base &-= counters[axis] &* strides[axis]
                counters[axis] = 0
                axis -= 1
            }
            if axis < 0 { return }
        }
    }
}
