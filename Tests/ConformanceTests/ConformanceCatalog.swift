import Foundation
import TestSupport

/// The tests of the ONNX project, old and new, as folders.
enum ConformanceCatalog {
    /// Where Debian's libonnx-testdata puts its tests.
    private static let storedTests = "/usr/share/libonnx-testdata/data"

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// All tests; those that the onnx package makes are written below .build once a version.
    static func load(root: String) throws -> [ConformanceCase] {
        guard FileManager.default.fileExists(atPath: storedTests + "/node") else {
            throw Missing(
                description: "the ONNX project's tests are not there: apt-get install libonnx-testdata")
        }
        let output = root + "/.build/conformance"
        let run = try Subprocess.run([
            try PythonEnvironment.python(root: root), root + "/Tests/ConformanceTests/write_cases.py", output,
            storedTests,
        ])
        guard run.status == 0 else { throw Missing(description: "write_cases.py:\n\(run.output)") }
        return try JSONDecoder().decode(
            [ConformanceCase].self, from: Data(contentsOf: URL(filePath: output + "/index.json")))
    }
}
