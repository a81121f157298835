/// The element types that a tensor can have: those that ONNX and NumPy share, and bfloat16.
package enum ElementType: String, CaseIterable, Hashable, Sendable {
    case bool, uint8, uint16, uint32, uint64, int8, int16, int32, int64, float16, bfloat16, float32, float64

    /// The size of one element in memory and in files, in bytes.
    package var byteCount: Int {
        switch self {
        case .bool, .uint8, .int8: 1
        case .uint16, .int16, .float16, .bfloat16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        }
    }

    package var isFloatingPoint: Bool {
        switch self {
        case .float16, .bfloat16, .float32, .float64: true
        default: false
        }
    }

    /// Whether the type is one of the integers, signed or not; `bool` is none.
    package var isInteger: Bool { self != .bool && !isFloatingPoint }
}
