import ArgumentParser
import Certification
import Folding
import FoundationEssentials
import ModelFormats
import ModelServing

struct FoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fold", abstract: "Writes the folded network as ONNX, for any runtime.",
        discussion: "The file has the same inputs and outputs under the same names.")

    @Argument(help: "A model file, or a model's folder in a repository (its highest version).")
    var model: String

    @Option(name: [.customShort("o"), .customLong("output")], help: "The ONNX file to write.")
    var output: String

    @Option(help: "A file that gets the fold report and the certificate as JSON.")
    var report: String?

    func run() throws {
        try CommandFailure.reporting {
            let loaded = try LoadedModel(path: model, fold: true)
            guard let fold = loaded.fold else { return }
            try ONNXWriter(producerVersion: Version.text).write(fold.graph, to: output)
            if let report {
                var measured = FoldMeasurement.measure(original: loaded.original, result: fold)
                measured.addDigests(original: loaded.original, folded: fold.graph)
                try JSONText.write(
                    FoldDocument(report: measured, certificate: loaded.certificate), path: report)
            }
            if let notice = fold.report.notice { StandardError.writeLine("note: " + notice) }
            print(
                "\(output): \(fold.report.foldedCount) BatchNorms folded, \(fold.report.refusedCount) refused, "
                    + "\(fold.report.nodeCountBefore) nodes before, \(fold.report.nodeCountAfter) after, "
                    + "\(loaded.certificate?.pieces.count { !$0.coefficients.isEmpty } ?? 0) pieces proven")
        }
    }
}

/// What `--report` writes: the report's own keys, and `certificate` beside them.
private struct FoldDocument: Encodable {
    let report: FoldReport
    let certificate: Certificate?

    private enum CodingKeys: String, CodingKey {
        case certificate
    }

    func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(certificate, forKey: .certificate)
    }
}

/// JSON as the command writes it: sorted keys, indented, slashes as they are.
enum JSONText {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func write(_ value: some Encodable, path: String) throws {
        do {
            try Data((encode(value) + "\n").utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw CommandFailure.usage("\(path): cannot be written: \(error)")
        }
    }
}
