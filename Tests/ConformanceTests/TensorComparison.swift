import Graph
import Tensors

/// Compares as the ONNX project's backend runner does: type and shape, then |actual − expected| ≤ atol + rtol·|expected|.
struct TensorComparison {
    let relativeTolerance: Double
    let absoluteTolerance: Double

    /// Two units in the last place. The runner grants them to bfloat16; expected float16 values too were computed in their
    /// own precision step by step, so a right answer may be as far from them.
    private static let roundingTolerances: [ElementType: Double] = [.bfloat16: 0x1p-6, .float16: 0x1p-9]

    /// What is wrong with `actual`; `nil` when it is right.
    func difference(_ actual: ExactTensor, _ expected: ExactTensor) -> String? {
        guard actual.elementType == expected.elementType, actual.shape == expected.shape else {
            return
                "is \(actual.elementType)\(actual.shape), expected \(expected.elementType)\(expected.shape)"
        }
        if let actual = actual.integers, let expected = expected.integers {
            return actual.indices.first { actual[$0] != expected[$0] }
                .map { "has \(actual[$0]) at \($0), expected \(expected[$0])" }
        }
        guard let reals = actual.reals, let others = expected.reals else { return "is of another kind" }
        // Where large terms cancel, as in a Fourier transform, the expected zero is what float32 left of them.
        let largest = others.lazy.filter(\.isFinite).map(\.magnitude).max() ?? 0
        let absoluteTolerance = max(absoluteTolerance, largest * Double(Float.ulpOfOne))
        let relativeTolerance = max(
            relativeTolerance, Self.roundingTolerances[actual.elementType, default: 0])
        return reals.indices.first { index in
            let (one, other) = (reals[index], others[index])
            // Infinities are equal to themselves alone, and a NaN stands for a NaN.
            if one == other || (one.isNaN && other.isNaN) { return false }
            return !((one - other).magnitude <= absoluteTolerance + relativeTolerance * other.magnitude)
                || one.isInfinite || other.isInfinite
        }
        .map { "has \(reals[$0]) at \($0), expected \(others[$0])" }
    }
}
