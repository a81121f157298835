import Glibc
import Tensors

/// The remainder of A / B: of the sign of B or, with `fmod`, of A as C's fmod gives it.
///
/// Shapes: see `BinaryOperator`. Attributes: `fmod` (0). Errors: an integer divisor of 0. Source: ONNX Mod-10, 13.
package struct Mod: BinaryOperator {
    package static let type = "Mod"

    package let followsDividend: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        followsDividend = try attributes.flag("fmod", default: false)
    }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (a, b) = (try required(inputs, 0, "A"), try required(inputs, 1, "B"))
        let type = try commonType(a, "A", b, "B")
        try requireNumbers(ValueInfo(type, nil), "A")
        return [try infer(inputs, to: type)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let (a, b, shape) = try operands(inputs)
        if let first = a.reals, let second = b.reals {
            let result = first.indices.map { remainder(first[$0], second[$0]) }
            return [ExactTensor(reals: result, shape: shape, elementType: a.elementType)]
        }
        let (first, second) = (try integers([a], 0, "A"), try integers([b], 0, "B"))
        guard !second.contains(0) else { throw error("an integer is divided by zero") }
        let isUnsigned = a.elementType.isUnsigned
        let result = first.indices.map { remainder(first[$0], second[$0], isUnsigned: isUnsigned) }
        return [ExactTensor(integers: result, shape: shape, elementType: a.elementType)]
    }

    private func remainder(_ a: Double, _ b: Double) -> Double {
        let rest = fmod(a, b)
        if followsDividend || rest.isNaN { return rest }
        if rest == 0 { return b < 0 ? -0.0 : 0 }
        if (rest < 0) == (b < 0) { return rest }
        return b.isInfinite ? b : rest + b
    }

    private func remainder(_ a: Int64, _ b: Int64, isUnsigned: Bool) -> Int64 {
        if isUnsigned { return Int64(bitPattern: UInt64(bitPattern: a) % UInt64(bitPattern: b)) }
        let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
        return followsDividend || rest == 0 || (rest < 0) == (b < 0) ? rest : rest + b
    }
}
