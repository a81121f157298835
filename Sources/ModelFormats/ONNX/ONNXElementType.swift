import Tensors

/// The numbers that ONNX gives to element types (TensorProto.DataType).
enum ONNXElementType {
    private static let types: [Int32: ElementType] = [
        1: .float32, 2: .uint8, 3: .int8, 4: .uint16, 5: .int16, 6: .int32, 7: .int64, 9: .bool, 10: .float16,
        11: .float64, 12: .uint32, 13: .uint64, 16: .bfloat16,
    ]

    private static let unsupportedNames: [Int32: String] = [
        8: "string", 14: "complex64", 15: "complex128", 17: "float8e4m3fn", 18: "float8e4m3fnuz",
        19: "float8e5m2", 20: "float8e5m2fnuz", 21: "uint4", 22: "int4", 23: "float4e2m1", 24: "float8e8m0",
        25: "uint2", 26: "int2", 27: "float6e2m3", 28: "float6e3m2",
    ]

    /// `nil` for a number that stands for no type that foldserve has.
    static func type(_ number: Int32) -> ElementType? { types[number] }

    static func number(_ type: ElementType) -> Int32 {
        switch type {
        case .float32: 1
        case .uint8: 2
        case .int8: 3
        case .uint16: 4
        case .int16: 5
        case .int32: 6
        case .int64: 7
        case .bool: 9
        case .float16: 10
        case .float64: 11
        case .uint32: 12
        case .uint64: 13
        case .bfloat16: 16
        }
    }

    /// For error messages.
    static func name(_ number: Int32) -> String {
        types[number]?.rawValue ?? unsupportedNames[number] ?? "number \(number)"
    }
}
