import Graph
import Tensors
import Testing

/// The catalogue against the test vectors of the ONNX project, and against ONNX Runtime.
@Suite struct ReferenceCaseTests {
    /// The published cases that are refused, with a part of the sentence that says why.
    static let expectedRefusals = [
        "test_batchnorm_epsilon_training_mode": "exported in training mode",
        "test_batchnorm_example_training_mode": "exported in training mode",
        "test_training_dropout": "exported in training mode",
        "test_training_dropout_default": "exported in training mode",
        "test_training_dropout_default_mask": "exported in training mode",
        "test_training_dropout_mask": "exported in training mode",
        "test_training_dropout_zero_ratio": "exported in training mode",
        "test_training_dropout_zero_ratio_mask": "exported in training mode",
        // The attribute is newer than the operator sets that foldserve reads.
        "test_spacetodepth_crd_mode_example": "'mode' is not known",
        "test_spacetodepth_dcr_mode_example": "'mode' is not known",
    ]

    @Test(arguments: [("cases", expectedRefusals, 1e-7, 667), ("random", [:], 1e-6, 270)])
    func `every case comes out right or is refused as expected`(
        file: String, expectedRefusals: [String: String], absoluteTolerance: Double, leastCount: Int
    ) throws {
        let (cases, refusedNodes) = try ReferenceCase.load(file)
        var refusals = refusedNodes.mapValues(\.description)
        var passed = 0
        for item in cases {
            do {
                let problem = try Self.problem(of: item, absoluteTolerance: absoluteTolerance)
                #expect(problem == nil, "\(item.name) \(item.node.attributes): \(problem ?? "")")
                if problem == nil { passed += 1 }
            } catch let error as GraphError {
                refusals[item.name] = error.description
            }
        }
        #expect(Set(refusals.keys) == Set(expectedRefusals.keys), "\(refusals)")
        for (name, part) in expectedRefusals {
            #expect(refusals[name]?.contains(part) == true, "\(name): \(refusals[name] ?? "")")
        }
        #expect(passed >= leastCount)
        print("operator cases in \(file).json: \(passed) passed, \(refusals.count) refused")
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
