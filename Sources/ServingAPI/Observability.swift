import HTTPServer
import HTTPTypes
import ModelServing
import Synchronization

/// What a server tells of itself beyond its answers.
package struct Observability: Sendable {
    /// Whether /metrics has Triton's names beside foldserve's own.
    package var hasTritonNames = false
    /// Whether predictions say how long their phases took.
    package var hasServerTiming = true

    package init() {}
}

/// What is known of a prediction beside its answer.
struct PredictionFacts: Sendable {
    let readNanoseconds: UInt64
    let queueNanoseconds: UInt64
    let computeNanoseconds: UInt64
    let serialiseNanoseconds: UInt64
    let modelDigest: String?

    /// W3C Server Timing: milliseconds.
    var serverTiming: String {
        [
            ("read", readNanoseconds), ("queue", queueNanoseconds), ("compute", computeNanoseconds),
            ("serialise", serialiseNanoseconds),
        ].map { "\($0);dur=\(Self.milliseconds($1))" }.joined(separator: ", ")
    }

    /// With three places.
    private static func milliseconds(_ nanoseconds: UInt64) -> String {
        let microseconds = nanoseconds / 1000
        let fraction = String(microseconds % 1000)
        return "\(microseconds / 1000)." + String(repeating: "0", count: 3 - fraction.utf8.count) + fraction
    }
}

extension ServingServices {
    /// A prediction's answer with the headers that tell of it.
    func announced(
        _ result: Result<ServerResponse, RequestError>, _ facts: PredictionFacts?
    ) -> Result<ServerResponse, RequestError> {
        guard case .success(var response) = result, let facts else { return result }
        if observability.hasServerTiming { response.headers[Self.serverTimingName] = facts.serverTiming }
        if let digest = facts.modelDigest { response.headers[Self.modelDigestName] = digest }
        return .success(response)
    }

    private static let serverTimingName = HTTPField.Name("server-timing")!
    private static let modelDigestName = HTTPField.Name("foldserve-model-digest")!
}
