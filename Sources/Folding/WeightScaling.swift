import Graph
import Tensors

/// A weight seen as [outer, channels, inner], each channel with its own factor: what every fold does to weights.
///
/// The product is computed in Float64 and rounded once to the weight's element type.
struct WeightScaling {
    let outerCount: Int
    let channelCount: Int
    let innerCount: Int
    /// The position of the first channel's factor for each `outer` index: a group of a transposed convolution has
    /// channels of its own.
    var factorOffset: @Sendable (Int) -> Int = { _ in 0 }

    /// `weight` times `factors`. Refuses a result that is not finite once it is rounded.
    func scaled(_ weight: Tensor, by factors: [Double]) throws(FoldRefusal) -> Tensor {
        precondition(outerCount * channelCount * innerCount == weight.shape.count, "not a view of the weight")
        var target = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        let result = Tensor(unfilled: weight.elementType, shape: weight.shape, memory: &target)
        let isFinite = weight.withUnsafeBytes { source in
            switch weight.elementType {
            case .float64: scale(source, target, as: Double.self, factors)
            case .float32: scale(source, target, as: Float.self, factors)
            case .float16: scale(source, target, as: Float16.self, factors)
            case .bfloat16: scale(source, target, as: StoredBFloat16.self, factors)
            default: preconditionFailure("a weight of type \(weight.elementType)")
            }
        }
        // The result is read from here on.
        weight.releasePages()
        guard isFinite else {
            throw FoldRefusal("a folded weight is beyond the range of \(weight.elementType)")
        }
        return result
    }

    /// What `shifts` make behind the weight: Σ over its channels of weight·shift, [outer, inner], in Float64.
    func contracted(_ weight: Tensor, with shifts: [Double]) -> [Double] {
        precondition(outerCount * channelCount * innerCount == weight.shape.count, "not a view of the weight")
        let sums = weight.withUnsafeBytes { source in
            switch weight.elementType {
            case .float64: contract(source, as: Double.self, shifts)
            case .float32: contract(source, as: Float.self, shifts)
            case .float16: contract(source, as: Float16.self, shifts)
            case .bfloat16: contract(source, as: StoredBFloat16.self, shifts)
            default: preconditionFailure("a weight of type \(weight.elementType)")
            }
        }
        weight.releasePages()
        return sums
    }

    private func contract<Element: FoldableElement>(
        _ source: UnsafeRawBufferPointer, as type: Element.Type, _ shifts: [Double]
    ) -> [Double] {
        let stride = MemoryLayout<Element>.stride
        var sums = [Double](repeating: 0, count: outerCount * innerCount)
        sums.withUnsafeMutableBufferPointer { sums in
            for outer in 0..<outerCount {
                let offset = factorOffset(outer)
                precondition(offset >= 0 && offset + channelCount <= shifts.count, "a shift for each channel")
                for channel in 0..<channelCount {
                    let shift = shifts[offset + channel]
                    let row = (outer * channelCount + channel) * innerCount
                    for index in 0..<innerCount {
                        let value = source.loadUnaligned(fromByteOffset: (row + index) * stride, as: type)
                        sums[outer * innerCount + index] += value.double * shift
                    }
                }
            }
        }
        return sums
    }

    // Both buffers hold exactly the weight's elements (the tensors guarantee it), and every index is below
    // outer · channels · inner, which the precondition has compared with their count.
    private func scale<Element: FoldableElement>(
        _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer, as type: Element.Type,
        _ factors: [Double]
    ) -> Bool {
        var isFinite = true
        factors.withUnsafeBufferPointer { factors in
            for outer in 0..<outerCount {
                let offset = factorOffset(outer)
                precondition(
                    offset >= 0 && offset + channelCount <= factors.count, "a factor for each channel")
                let row = outer * channelCount * innerCount
                if innerCount == 1 {
                    let isRowFinite = Self.multiply(source, target, row..<row + channelCount, as: type) {
                        factors[offset + $0]
                    }
                    isFinite = isFinite && isRowFinite
                    continue
                }
                for channel in 0..<channelCount {
                    let (start, factor) = (row + channel * innerCount, factors[offset + channel])
                    let isRunFinite = Self.multiply(source, target, start..<start + innerCount, as: type) {
                        _ in
                        factor
                    }
                    isFinite = isFinite && isRunFinite
                }
            }
        }
        return isFinite
    }

    /// Multiplies a run of elements, each by the factor of its place in the run; whether all products are finite.
    @inline(__always)
    private static func multiply<Element: FoldableElement>(
        _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer, _ run: Range<Int>,
        as type: Element.Type, _ factor: (Int) -> Double
    ) -> Bool {
        let stride = MemoryLayout<Element>.stride
        guard let from = source.baseAddress, let to = target.baseAddress else { return true }
        var (read, write) = (from + run.lowerBound * stride, to + run.lowerBound * stride)
        var marks: Element.Bits = 0
        for index in 0..<run.count {
            let product = Element(read.loadUnaligned(as: Element.self).double * factor(index))
            write.storeBytes(of: product, as: Element.self)
            (read, write) = (read + stride, write + stride)
            // One more in the exponent reaches the sign where all bits of it are set already: no branch, so vectors do it.
            marks |= (product.bitPattern & (Element.Bits.max >> 1)) &+ Element.exponentUnit
        }
        return marks.leadingZeroBitCount > 0
    }
}

extension Tensor {
    /// The elements of a floating tensor.
    var reals: [Double] { ExactTensor(self).reals ?? [] }

    /// `values` rounded once to `type`. Refuses what is not finite then.
    static func rounding(
        _ values: [Double], shape: Shape, to type: ElementType, role: String
    ) throws(FoldRefusal) -> Tensor {
        let exact = ExactTensor(reals: values, shape: shape, elementType: type)
        guard let rounded = exact.rounded.reals, rounded.allSatisfy(\.isFinite) else {
            throw FoldRefusal("the folded \(role) is beyond the range of \(type)")
        }
        return exact.tensor
    }
}

/// An element type that weights are stored in.
private protocol FoldableElement: BitwiseCopyable {
    associatedtype Bits: FixedWidthInteger & UnsignedInteger

    init(_ value: Double)
    var double: Double { get }
    var bitPattern: Bits { get }
    /// The lowest bit of the exponent.
    static var exponentUnit: Bits { get }
}

extension Double: FoldableElement {
    fileprivate var double: Double { self }
    fileprivate static var exponentUnit: UInt64 { 1 << 52 }
}

extension Float: FoldableElement {
    fileprivate var double: Double { Double(self) }
    fileprivate static var exponentUnit: UInt32 { 1 << 23 }
}

extension Float16: FoldableElement {
    fileprivate var double: Double { Double(self) }
    fileprivate static var exponentUnit: UInt16 { 1 << 10 }
}

/// The bits of a `BFloat16`, which may be copied byte by byte.
private struct StoredBFloat16: FoldableElement {
    let bitPattern: UInt16

    init(_ value: Double) { bitPattern = BFloat16(value).bitPattern }

    var double: Double { Double(BFloat16(bitPattern: bitPattern).floatValue) }
    static var exponentUnit: UInt16 { 1 << 7 }
}
