import Foundation

/// One of the ONNX project's tests: a folder with a model, inputs and expected outputs.
///
/// write_cases.py lists them.
struct ConformanceCase: Decodable, Sendable {
    /// Where it comes from: `onnx node`.
    let set: String
    let name: String
    let folder: String
    let rtol: Double
    let atol: Double
    /// The types of the model's nodes, with their domain unless it is ONNX's.
    let operators: [String]
    /// Why it may be refused although its operators are known: a type that NumPy has not, training, …
    let outside: [String]

    /// What a run of the model's convolutions and dense layers multiplies; 0 for the tests of operators.
    let multiplications: Int

    /// Whether a runtime with all of its operators has to pass it.
    var isInScope: Bool { outside.isEmpty }

    var modelPath: String { folder + "/model.onnx" }

    /// The folders with inputs and outputs, in order.
    var dataSets: [String] {
        Self.numbered { "\(folder)/test_data_set_\($0)" }
    }

    /// The files of one role, `input` or `output`, in the order of the model's inputs or outputs.
    static func tensorFiles(_ role: String, in dataSet: String) -> [String] {
        numbered { "\(dataSet)/\(role)_\($0).pb" }
    }

    private static func numbered(_ path: (Int) -> String) -> [String] {
        var paths: [String] = []
        while FileManager.default.fileExists(atPath: path(paths.count)) { paths.append(path(paths.count)) }
        return paths
    }
}
