import Tensors

extension ExactTensor {
    /// The elements as another type: rounded to it when it is floating, truncated toward zero when it is an integer,
    /// not zero as `bool`.
    ///
    /// A number outside a signed integer type's range, or outside 0 to 2⁶⁴, has no result in the specification: it is
    /// held to Int64 (NaN becomes 0) and wrapped.
    func converted(to type: ElementType) -> ExactTensor {
        switch elements {
        case .reals(let values):
            if type.isFloatingPoint {
                return ExactTensor(reals: values, shape: shape, elementType: type).rounded
            }
            return truncated(to: type)
        case .integers(let values):
            guard type.isFloatingPoint else {
                return ExactTensor(integers: values, shape: shape, elementType: type)
            }
            return ExactTensor(reals: reals(values, for: type), shape: shape, elementType: type).rounded
        }
    }

    /// Reals as integers or booleans.
    func truncated(to type: ElementType) -> ExactTensor {
        let values = reals ?? []
        let result: [Int64] =
            switch type {
            case .bool: values.map { $0 == 0 ? 0 : 1 }
            case .uint64: values.map { Self.unsigned($0) }
            default: values.map { Self.signed($0) }
            }
        return ExactTensor(integers: result, shape: shape, elementType: type)
    }

    /// The integers as Doubles; through Float where that is the target, so that they are rounded once.
    private func reals(_ values: [Int64], for type: ElementType) -> [Double] {
        switch (elementType == .uint64, type == .float32) {
        case (true, true): values.map { Double(Float(UInt64(bitPattern: $0))) }
        case (true, false): values.map { Double(UInt64(bitPattern: $0)) }
        case (false, true): values.map { Double(Float($0)) }
        case (false, false): values.map { Double($0) }
        }
    }

    private static func signed(_ value: Double) -> Int64 {
        if value.isNaN { return 0 }
        return Int64(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
    }

    private static func unsigned(_ value: Double) -> Int64 {
        guard value >= 0x1p63 else { return signed(value) }
        return Int64(bitPattern: UInt64(exactly: value.rounded(.towardZero)) ?? .max)
    }
}

extension ElementType {
    /// The type with this number in ONNX's TensorProto.DataType.
    init?(onnxNumber: Int) {
        switch onnxNumber {
        case 1: self = .float32
        case 2: self = .uint8
        case 3: self = .int8
        case 4: self = .uint16
        case 5: self = .int16
        case 6: self = .int32
        case 7: self = .int64
        case 9: self = .bool
        case 10: self = .float16
        case 11: self = .float64
        case 12: self = .uint32
        case 13: self = .uint64
        case 16: self = .bfloat16
        default: return nil
        }
    }

    /// The name of one of ONNX's types of 8 bits and less that foldserve has not.
    static func narrowName(onnxNumber: Int) -> String? {
        switch onnxNumber {
        case 17: "float8e4m3fn"
        case 18: "float8e4m3fnuz"
        case 19: "float8e5m2"
        case 20: "float8e5m2fnuz"
        case 21: "uint4"
        case 22: "int4"
        case 23: "float4e2m1"
        case 24: "float8e8m0"
        case 25: "uint2"
        case 26: "int2"
        default: nil
        }
    }
}
