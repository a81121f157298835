import Tensors

extension ElementType {
    func finer(_ other: ElementType) -> ElementType {
        unitRoundoff <= other.unitRoundoff ? self : other
    }

    /// Half the distance of neighbours at 1: what rounding to nearest errs by at most, relatively.
    var unitRoundoff: Double {
        switch self {
        case .float16: 0x1p-11
        case .bfloat16: 0x1p-8
        case .float32: 0x1p-24
        default: 0x1p-53
        }
    }

    /// Half the distance of neighbours around 0.
    var underflow: Double {
        switch self {
        case .float16: 0x1p-25
        case .bfloat16: 0x1p-134
        case .float32: 0x1p-150
        default: .leastNonzeroMagnitude
        }
    }
}
