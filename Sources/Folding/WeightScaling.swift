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
        var isFinite = true
        let result = Tensor(elementType: weight.elementType, shape: weight.shape) { target in
            weight.withUnsafeBytes { source in
                switch weight.elementType {
                case .float64: isFinite = scale(source, target, as: Double.self, factors)
                case .float32: isFinite = scale(source, target, as: Float.self, factors)
                case .float16: isFinite = scale(source, target, as: Float16.self, factors)
                case .bfloat16: isFinite = scale(source, target, as: StoredBFloat16.self, factors)
                default: preconditionFailure("a weight of type \(weight.elementType)")
                }
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
        let stride = MemoryLayout<Element>.stride
        var infiniteCount = 0
        factors.withUnsafeBufferPointer { factors in
            for outer in 0..<outerCount {
                let offset = factorOffset(outer)
                precondition(
                    offset >= 0 && offset + channelCount <= factors.count, "a factor for each channel")
                let row = outer * channelCount * innerCount
                // With one element a channel, the factors are the inner loop.
                let (runCount, runLength) = innerCount == 1 ? (1, channelCount) : (channelCount, innerCount)
                for run in 0..<runCount {
                    let factor = innerCount == 1 ? 1 : factors[offset + run]
                    let start = (row + run * runLength) * stride
                    for index in 0..<runLength {
                        let byte = start + index * stride
                        let value = source.loadUnaligned(fromByteOffset: byte, as: Element.self).double
                        let product = Element(
                            innerCount == 1 ? value * factors[offset + index] : value * factor)
                        infiniteCount &+= product.isFinite ? 0 : 1
                        target.storeBytes(of: product, toByteOffset: byte, as: Element.self)
                    }
                }
            }
        }
        return infiniteCount == 0
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
    init(_ value: Double)
    var double: Double { get }
    var isFinite: Bool { get }
}

extension Double: FoldableElement {
    fileprivate var double: Double { self }
}

extension Float: FoldableElement {
    fileprivate var double: Double { Double(self) }
}

extension Float16: FoldableElement {
    fileprivate var double: Double { Double(self) }
}

/// The bits of a `BFloat16`, which may be copied byte by byte.
private struct StoredBFloat16: FoldableElement {
    let bitPattern: UInt16

    init(_ value: Double) { bitPattern = BFloat16(value).bitPattern }

    var double: Double { Double(BFloat16(bitPattern: bitPattern).floatValue) }
    var isFinite: Bool { double.isFinite }
}
