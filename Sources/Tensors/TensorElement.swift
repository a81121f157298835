/// A Swift type whose memory layout is that of an element type.
package protocol TensorElement: Sendable {
    static var elementType: ElementType { get }
}

extension Bool: TensorElement { package static var elementType: ElementType { .bool } }
extension UInt8: TensorElement { package static var elementType: ElementType { .uint8 } }
extension UInt16: TensorElement { package static var elementType: ElementType { .uint16 } }
extension UInt32: TensorElement { package static var elementType: ElementType { .uint32 } }
extension UInt64: TensorElement { package static var elementType: ElementType { .uint64 } }
extension Int8: TensorElement { package static var elementType: ElementType { .int8 } }
extension Int16: TensorElement { package static var elementType: ElementType { .int16 } }
extension Int32: TensorElement { package static var elementType: ElementType { .int32 } }
extension Int64: TensorElement { package static var elementType: ElementType { .int64 } }
extension Float16: TensorElement { package static var elementType: ElementType { .float16 } }
extension BFloat16: TensorElement { package static var elementType: ElementType { .bfloat16 } }
extension Float: TensorElement { package static var elementType: ElementType { .float32 } }
extension Double: TensorElement { package static var elementType: ElementType { .float64 } }

/// The upper half of a Float: 8 exponent bits, 7 explicit mantissa bits.
package struct BFloat16: Hashable, Sendable {
    package let bitPattern: UInt16

    package init(bitPattern: UInt16) { self.bitPattern = bitPattern }

    /// Rounds to nearest, ties to even.
    ///
    /// A Double goes through a Float rounded to odd, so that the two roundings equal one.
    package init(_ value: Double) {
        guard !value.isNaN else {
            bitPattern = 0x7fc0
            return
        }
        var single = Float(value)
        if Double(single) != value, single.isFinite, single.bitPattern & 1 == 0 {
            // Round to odd: of the two neighbours take the one whose last bit is set.
            single = Double(single) < value ? single.nextUp : single.nextDown
        }
        let bits = single.bitPattern
        let rounding: UInt32 = 0x7fff + ((bits >> 16) & 1)
        bitPattern = single.isInfinite ? UInt16(bits >> 16) : UInt16((bits &+ rounding) >> 16)
    }

    package var floatValue: Float { Float(bitPattern: UInt32(bitPattern) << 16) }
}
