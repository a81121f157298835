import Certification
import Folding
import FoundationEssentials
import HTTPServer
import HTTPTypes
import ModelServing

/// GET /v2/models/M/fold: what became of every batch normalization, with the error that folding it made, and the
/// certificate, but for the factors of each weight's rows and columns.
///
/// The error is measured when someone first asks, on a background worker, and kept.
struct FoldEndpoint: Endpoint {
    let name = "fold"
    let method = HTTPRequest.Method.get
    let paths = ["/v2/models/{model}/fold", "/v2/models/{model}/versions/{version}/fold"]
    private let services: ServingServices
    private let documents = ModelDocuments(make: Self.document)

    init(_ services: ServingServices) { self.services = services }

    func handle(_ call: EndpointCall, completion: @escaping EndpointCompletion) throws(RequestError) {
        try documents.respond(call, services, completion: completion)
    }

    private struct Document: Encodable {
        let name: String
        let version: String
        let report: FoldReport
        let certificate: Certificate
    }

    static func document(_ model: LoadedModel) throws(RequestError) -> [UInt8] {
        let fold = try model.refolded()
        var report = FoldMeasurement.measure(original: model.original, result: fold.result)
        report.addDigests(original: model.original, folded: fold.graph)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        let document = Document(
            name: model.name, version: model.version, report: report,
            certificate: fold.certificate.withoutFactors)
        do {
            return Array(try encoder.encode(document))
        } catch {
            preconditionFailure("a fold report cannot be encoded: \(error)")
        }
    }
}
