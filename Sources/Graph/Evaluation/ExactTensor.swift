import Tensors

/// A tensor as the evaluation sees it: Doubles for the floating types, 64-bit integers for the others.
///
/// `uint64` elements are kept as the Int64 of the same bits; `bool` as 0 and 1.
package struct ExactTensor: Sendable {
    package enum Elements: Sendable {
        case reals([Double])
        case integers([Int64])
    }

    package let elementType: ElementType
    package let shape: Shape
    package let elements: Elements

    /// Traps when the counts or the kinds disagree: a mistake of an operator, never of a model.
    package init(reals: [Double], shape: Shape, elementType: ElementType) {
        precondition(
            reals.count == shape.count && elementType.isFloatingPoint, "reals for \(elementType)\(shape)")
        elements = .reals(reals)
        self.shape = shape
        self.elementType = elementType
    }

    /// Wraps each element to the width of the element type. Traps as `init(reals:shape:elementType:)` does.
    package init(integers: [Int64], shape: Shape, elementType: ElementType) {
        precondition(
            integers.count == shape.count && !elementType.isFloatingPoint,
            "integers for \(elementType)\(shape)")
        elements = .integers(Self.wrap(integers, to: elementType))
        self.shape = shape
        self.elementType = elementType
    }

    package init(_ tensor: Tensor) {
        elementType = tensor.elementType
        shape = tensor.shape
        elements = tensor.withUnsafeBytes { bytes in
            switch tensor.elementType {
            case .float64: .reals(Self.load(bytes, as: Double.self) { $0 })
            case .float32: .reals(Self.load(bytes, as: Float.self, Double.init))
            case .float16: .reals(Self.load(bytes, as: Float16.self, Double.init))
            case .bfloat16:
                .reals(Self.load(bytes, as: UInt16.self) { Double(BFloat16(bitPattern: $0).floatValue) })
            case .bool: .integers(Self.load(bytes, as: UInt8.self) { $0 == 0 ? 0 : 1 })
            case .uint8: .integers(Self.load(bytes, as: UInt8.self, Int64.init))
            case .uint16: .integers(Self.load(bytes, as: UInt16.self, Int64.init))
            case .uint32: .integers(Self.load(bytes, as: UInt32.self, Int64.init))
            case .uint64: .integers(Self.load(bytes, as: UInt64.self, Int64.init(bitPattern:)))
            case .int8: .integers(Self.load(bytes, as: Int8.self, Int64.init))
            case .int16: .integers(Self.load(bytes, as: Int16.self, Int64.init))
            case .int32: .integers(Self.load(bytes, as: Int32.self, Int64.init))
            case .int64: .integers(Self.load(bytes, as: Int64.self) { $0 })
            }
        }
    }

    package var reals: [Double]? {
        if case .reals(let values) = elements { values } else { nil }
    }

    package var integers: [Int64]? {
        if case .integers(let values) = elements { values } else { nil }
    }

    /// The elements rounded to the element type: to nearest, ties to even, overflow to infinity.
    package var rounded: ExactTensor {
        guard case .reals(let values) = elements else { return self }
        let result: [Double] =
            switch elementType {
            case .float32: values.map { Double(Float($0)) }
            case .float16: values.map { Double(Float16($0)) }
            case .bfloat16: values.map { Double(BFloat16($0).floatValue) }
            default: values
            }
        return ExactTensor(reals: result, shape: shape, elementType: elementType)
    }

    /// The elements rounded once and stored as the element type.
    package var tensor: Tensor {
        Tensor(elementType: elementType, shape: shape) { bytes in
            switch (elements, elementType) {
            case (.reals(let values), .float64): Self.store(values, in: bytes) { $0 }
            case (.reals(let values), .float32): Self.store(values, in: bytes, Float.init)
            case (.reals(let values), .float16): Self.store(values, in: bytes, Float16.init)
            case (.reals(let values), _): Self.store(values, in: bytes) { BFloat16($0).bitPattern }
            case (.integers(let values), .bool), (.integers(let values), .uint8),
                (.integers(let values), .int8):
                Self.store(values, in: bytes, UInt8.init(truncatingIfNeeded:))
            case (.integers(let values), .uint16), (.integers(let values), .int16):
                Self.store(values, in: bytes, UInt16.init(truncatingIfNeeded:))
            case (.integers(let values), .uint32), (.integers(let values), .int32):
                Self.store(values, in: bytes, UInt32.init(truncatingIfNeeded:))
            case (.integers(let values), _): Self.store(values, in: bytes) { $0 }
            }
        }
    }

    private static func wrap(_ values: [Int64], to type: ElementType) -> [Int64] {
        switch type {
        case .bool: values.map { $0 == 0 ? 0 : 1 }
        case .uint8: values.map { Int64(UInt8(truncatingIfNeeded: $0)) }
        case .uint16: values.map { Int64(UInt16(truncatingIfNeeded: $0)) }
        case .uint32: values.map { Int64(UInt32(truncatingIfNeeded: $0)) }
        case .int8: values.map { Int64(Int8(truncatingIfNeeded: $0)) }
        case .int16: values.map { Int64(Int16(truncatingIfNeeded: $0)) }
        case .int32: values.map { Int64(Int32(truncatingIfNeeded: $0)) }
        default: values
        }
    }

    private static func load<Stored, Value>(
        _ bytes: UnsafeRawBufferPointer, as type: Stored.Type, _ convert: (Stored) -> Value
    ) -> [Value] {
        let stride = MemoryLayout<Stored>.stride
        return (0..<bytes.count / stride).map {
            convert(bytes.loadUnaligned(fromByteOffset: $0 * stride, as: type))
        }
    }

    private static func store<Stored, Value>(
        _ values: [Value], in bytes: UnsafeMutableRawBufferPointer, _ convert: (Value) -> Stored
    ) {
        let stride = MemoryLayout<Stored>.stride
        for (index, value) in values.enumerated() {
            bytes.storeBytes(of: convert(value), toByteOffset: index * stride, as: Stored.self)
        }
    }
}
