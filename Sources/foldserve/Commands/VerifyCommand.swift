import ArgumentParser
import Certification
import Execution
import Graph
import ModelFormats

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Proves that a folded file computes what the model does, from the two files alone.",
        discussion: """
            Both networks are cut at the values that they share by name, and each piece between them is proven: every \
            weight against the original's, for all inputs, up to the rounding of stored numbers. Exit status 65 when a \
            piece cannot be proven, with one line for each that names the node.
            """)

    /// The most pieces that get a line on standard error.
    private static let maximumLineCount = 20

    @Argument(help: "The original: a model file, or a model's folder in a repository (its highest version).")
    var model: String

    @Argument(help: "The folded file.")
    var folded: String

    @Flag(help: "Print the certificate as JSON.")
    var json = false

    func run() throws {
        try CommandFailure.reporting {
            let progress = ProgressLine("proving \(folded)")
            defer { progress.pause() }
            let original = try FormatCatalog.standard.load(path: model)
            let other = try FormatCatalog.standard.load(path: folded)
            let certificate: Certificate
            do {
                certificate = try Certifier(threadCount: ThreadCount.available).certify(
                    original: original, folded: other)
            } catch {
                throw CommandFailure.data("\(folded): \(error)")
            }
            progress.pause()
            if json { print(try JSONText.encode(certificate)) }
            guard let first = certificate.failures.first else {
                if !json { print(summary(certificate)) }
                return
            }
            for failure in certificate.failures.dropFirst().prefix(Self.maximumLineCount) {
                StandardError.writeLine("foldserve: \(folded): \(failure)")
            }
            throw CommandFailure.data("\(folded): \(first)")
        }
    }

    private func summary(_ certificate: Certificate) -> String {
        let pieces = certificate.pieces
        let weight = pieces.flatMap(\.coefficients).map(\.relativeError).max() ?? 0
        let shift = pieces.map(\.shiftError).max() ?? 0
        return """
            \(folded): proven: \(certificate.sharedValueCount) shared values, \(certificate.identicalCount) by the same \
            node, \(pieces.count) by other weights; a weight differs by at most \(weight) of itself, a bias by \(shift)
            """
    }
}
