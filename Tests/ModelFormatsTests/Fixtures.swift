import Foundation
import ModelFormats

/// Where the files are that tests of several modules share.
enum Fixtures {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static let onnx = root + "/Tests/Fixtures/onnx"
    static let models = root + "/models"

    /// The cases of Tests/Fixtures/onnx, by name.
    static let onnxCases = folders(in: onnx).filter {
        FileManager.default.fileExists(atPath: "\(onnx)/\($0)/model.onnx")
    }

    /// The cases that cannot be loaded.
    static let refusedCases: Set = ["training_mode"]

    /// The models of the repository that comes with foldserve.
    static let modelNames = folders(in: models).filter {
        !FormatCatalog.versions(in: models + "/" + $0).isEmpty
    }

    private static func folders(in path: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? []
    }
}
