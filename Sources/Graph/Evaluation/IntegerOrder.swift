import Tensors

/// The order of integers as `ExactTensor` keeps them: `uint64` as the Int64 of the same bits.
package struct IntegerOrder {
    /// What is xor-ed before comparing: the sign bit for `uint64`.
    private let flip: Int64
    /// The least and the greatest value of the type, as kept.
    package let least: Int64
    package let greatest: Int64

    package init(_ type: ElementType) {
        flip = type == .uint64 ? .min : 0
        (least, greatest) =
            switch type {
            case .bool: (0, 1)
            case .uint8: (0, Int64(UInt8.max))
            case .uint16: (0, Int64(UInt16.max))
            case .uint32: (0, Int64(UInt32.max))
            case .uint64: (0, -1)
            case .int8: (Int64(Int8.min), Int64(Int8.max))
            case .int16: (Int64(Int16.min), Int64(Int16.max))
            case .int32: (Int64(Int32.min), Int64(Int32.max))
            default: (.min, .max)
            }
    }

    package func isLess(_ a: Int64, _ b: Int64) -> Bool { a ^ flip < b ^ flip }

    /// The integer that `value` stands for.
    package func double(_ value: Int64) -> Double {
        flip == 0 ? Double(value) : Double(UInt64(bitPattern: value))
    }
}
