import Graph
import Tensors
import Threads

/// A weight that is no number: what a training run that diverged, or a damaged file, leaves behind.
///
/// NaN is refused in every constant. ±∞ is refused where an operator multiplies by it; masks and bounds may hold it.
struct NonFiniteWeight: Equatable {
    let name: String
    /// Of the first such element, in C order.
    let index: Int

    /// Operators whose constants are weights.
    private static let weighted: Set<String> = [
        "BatchNormalization", "Conv", "ConvTranspose", "GRU", "Gemm", "GroupNormalization",
        "InstanceNormalization", "LSTM", "LayerNormalization", "MatMul", "PRelu", "RMSNormalization", "RNN",
    ]

    /// The first one of a graph, by name; looked for on `threadCount` threads.
    static func first(in graph: Graph, threadCount: Int = 1) -> NonFiniteWeight? {
        let weights = Set(
            graph.nodes.lazy.filter { weighted.contains($0.type) }.flatMap { $0.inputs.compactMap { $0 } })
        let constants = graph.constants.sorted { $0.key < $1.key }
        let found = ConcurrentMap.results(count: constants.count, threadCount: threadCount) { position in
            let (name, tensor) = constants[position]
            return tensor.firstNonFinite(mayBeInfinite: !weights.contains(name)).map {
                NonFiniteWeight(name: name, index: $0)
            }
        }
        return found.lazy.compactMap(\.self).first
    }
}

extension Tensor {
    /// The first element that is NaN, or ±∞ where that may not be; `nil` for other types than floating ones.
    func firstNonFinite(mayBeInfinite: Bool) -> Int? {
        switch elementType {
        case .float16: first(UInt16.self, exponent: 0x7C00, mayBeInfinite)
        case .float32: first(UInt32.self, exponent: 0x7F80_0000, mayBeInfinite)
        case .float64: first(UInt64.self, exponent: 0x7FF0_0000_0000_0000, mayBeInfinite)
        default: nil
        }
    }

    @inline(__always)
    private func first<Bits: FixedWidthInteger & UnsignedInteger>(
        _: Bits.Type, exponent: Bits, _ mayBeInfinite: Bool
    ) -> Int? {
        // Without the sign, every number is below the infinity and every NaN above it.
        let greatest = mayBeInfinite ? exponent : exponent - 1
        let magnitude = Bits.max >> 1
        return withUnsafeBytes { bytes -> Int? in
            let count = bytes.count / MemoryLayout<Bits>.size
            let stride = 1024
            for start in Swift.stride(from: 0, to: count, by: stride) {
                let end = min(count, start + stride)
                // A whole stretch at once, which the compiler makes vectors of; then its elements, once there is one.
                var largest: Bits = 0
                for index in start..<end {
                    largest = max(
                        largest,
                        bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
                            & magnitude)
                }
                guard largest > greatest else { continue }
                return (start..<end).first { index in
                    bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
                        & magnitude > greatest
                }
            }
            return nil
        }
    }
}
