import Glibc
import Tensors

/// A window function: a sum of cosines of whole numbers of periods, with signs in turn.
///
///     w[n] = a₀ − a₁·cos(2πn/N) + a₂·cos(4πn/N) − …
///
/// Inputs: size, an integer scalar. Outputs: output [size]. Attributes: `periodic` (1: N is size; 0: size − 1),
/// `output_datatype` (float32).
package protocol CosineWindow: Operator {
    static var coefficients: [Double] { get }
    var options: CosineWindowOptions { get }
    init(options: CosineWindowOptions)
}

package struct CosineWindowOptions: Sendable {
    package let isPeriodic: Bool
    package let elementType: ElementType
}

extension CosineWindow {
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        self.init(
            options: CosineWindowOptions(
                isPeriodic: try attributes.flag("periodic", default: true),
                elementType: try attributes.numberType("output_datatype")))
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        guard let size = try knownInteger(inputs, 0, "size") else {
            let dimension = inputs.first??.elements?.first ?? .unknown
            return [ValueInfo(options.elementType, [dimension])]
        }
        guard size >= 0 else { throw error("the size is \(size)") }
        return [try output(options.elementType, [.known(size)])]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let period = Double(options.isPeriodic ? shape[0] : shape[0] - 1)
        let coefficients = Self.coefficients
        let values = (0..<shape[0]).map { position in
            var (value, sign) = (0.0, 1.0)
            for (harmonic, coefficient) in coefficients.enumerated() {
                // A symmetric window of one element divides 0 by 0, as the standard's function does.
                value += sign * coefficient * cos(2 * .pi * Double(harmonic) * Double(position) / period)
                sign = -sign
            }
            return value
        }
        let type = options.elementType
        return [
            type.isFloatingPoint
                ? ExactTensor(reals: values, shape: shape, elementType: type)
                : ExactTensor(reals: values, shape: shape, elementType: .float64).truncated(to: type)
        ]
    }
}

/// See `CosineWindow`. Source: ONNX HannWindow-17.
package struct HannWindow: CosineWindow {
    package static let type = "HannWindow"
    package static let coefficients = [0.5, 0.5]
    package let options: CosineWindowOptions
    package init(options: CosineWindowOptions) { self.options = options }
}

/// See `CosineWindow`. Source: ONNX HammingWindow-17.
package struct HammingWindow: CosineWindow {
    package static let type = "HammingWindow"
    package static let coefficients = [25.0 / 46, 21.0 / 46]
    package let options: CosineWindowOptions
    package init(options: CosineWindowOptions) { self.options = options }
}

/// See `CosineWindow`. Source: ONNX BlackmanWindow-17.
package struct BlackmanWindow: CosineWindow {
    package static let type = "BlackmanWindow"
    package static let coefficients = [0.42, 0.5, 0.08]
    package let options: CosineWindowOptions
    package init(options: CosineWindowOptions) { self.options = options }
}
