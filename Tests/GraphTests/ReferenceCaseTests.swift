import Graph
import Tensors
import Testing

/// The catalogue against ONNX Runtime; ConformanceTests holds it against the test vectors of the ONNX project.
@Suite struct ReferenceCaseTests {
    private static let absoluteTolerance = 1e-6
    private static let leastCount = 787

    @Test func `every case comes out right`() throws {
        let (cases, refused) = try ReferenceCase.load("random")
        #expect(refused.isEmpty, "\(refused)")
        #expect(cases.count >= Self.leastCount)
        for item in cases {
            let problem = try Self.problem(of: item, absoluteTolerance: Self.absoluteTolerance)
            #expect(problem == nil, "\(item.name) \(item.node.attributes): \(problem ?? "")")
        }
    }

    private static let dataDependentTypes: Set = ["Compress", "NonMaxSuppression", "NonZero", "Unique"]

    /// What is wrong with a case's outcome; `nil` when it is right.
    static func problem(of item: ReferenceCase, absoluteTolerance: Double) throws -> String? {
        let infos = item.inputs.map { $0.map { ValueInfo(constant: $0) } }
        let inferred = try item.node.operation.inferOutputs(infos, outputCount: item.outputs.count)
        let results = try Evaluator(rounding: .declared)
            .evaluate(item.node, item.inputs.map { $0.map { ExactTensor($0) } })
        for (index, expected) in item.outputs.enumerated() {
            guard let expected else { continue }
            guard index < inferred.count, index < results.count else { return "output \(index) is missing" }
            let (info, result) = (inferred[index], results[index])
            // Where the elements decide an extent, it is not inferred.
            let isInferred =
                info.shape == expected.shape.dimensions
                || (dataDependentTypes.contains(item.node.type)
                    && info.dimensions?.count == expected.shape.rank)
            guard info.elementType == expected.elementType, isInferred else {
                return
                    "output \(index) is inferred as \(info), expected \(expected.elementType)\(expected.shape)"
            }
            guard result.elementType == expected.elementType, result.shape == expected.shape else {
                return "output \(index) is \(result.elementType)\(result.shape)"
            }
            if let difference = difference(result, ExactTensor(expected), absoluteTolerance) {
                return "output \(index), element \(difference)"
            }
        }
        return nil
    }

    /// The first element that differs by more than the ONNX project's own relative tolerance and the absolute one.
    private static func difference(
        _ actual: ExactTensor, _ expected: ExactTensor, _ absoluteTolerance: Double
    ) -> String? {
        if let actual = actual.integers, let expected = expected.integers {
            return actual.indices.first { actual[$0] != expected[$0] }
                .map { "\($0) is \(actual[$0]), expected \(expected[$0])" }
        }
        guard let actual = actual.reals, let expected = expected.reals else { return "0 is of another kind" }
        return actual.indices.first { index in
            let (one, other) = (actual[index], expected[index])
            if one == other || (one.isNaN && other.isNaN) { return false }
            return !((one - other).magnitude <= absoluteTolerance + 1e-3 * other.magnitude)
        }
        .map { "\($0) is \(actual[$0]), expected \(expected[$0])" }
    }
}
