import HTTPServer
import HTTPTypes
import Logging
import ModelServing

/// What is kept of requests beside their answers: counts, times, identifiers and lines of the log. All listeners share one.
final class RequestRecorder: Sendable {
    let metrics: RequestMetrics
    private let repository: ModelRepository
    private let clock: MonotonicClock
    private let logger: Logger
    private let identifiers = RequestIdentifiers(seed: UInt64.random(in: 0...UInt64.max))

    init(
        metrics: RequestMetrics, repository: ModelRepository, clock: MonotonicClock, logger: Logger
    ) {
        self.metrics = metrics
        self.repository = repository
        self.clock = clock
        self.logger = logger
    }

    /// What must be known of a request when its answer comes.
    struct Entry: Sendable {
        /// The client's own.
        let identifier: String?
        let start: UInt64
    }

    func begin(_ request: HTTPRequest) -> Entry {
        metrics.inFlight.add(1)
        return Entry(
            identifier: RequestIdentifiers.own(request.headerFields),
            start: clock.nanoseconds())
    }

    /// Counts a request that has its answer, and gives that the request's identifier.
    ///
    /// `endpoint` is a number of the metrics; `model` is empty where the request names none. A failed gRPC call has status
    /// 200 too, so `error` says what it counts under: the status that HTTP would have.
    func end(
        _ entry: Entry, _ request: HTTPRequest, endpoint: Int?, model: String, error: RequestError?,
        _ response: inout ServerResponse
    ) {
        metrics.inFlight.add(-1)
        let nanoseconds = clock.nanoseconds() &- entry.start
        let status = error?.status.code ?? response.status.code
        let model = model.isEmpty ? nil : try? repository.model(named: model).index
        metrics.record(endpoint: endpoint, model: model, status: status, nanoseconds: nanoseconds)
        // What is asked again and again, and cannot fail, does not need a name.
        guard entry.identifier != nil || status >= 400 || request.method == .post else { return }
        let identifier = entry.identifier ?? identifiers.make()
        response.headers[RequestIdentifiers.headerName] = identifier
        if let error { log(error, status, identifier, request, nanoseconds) }
    }

    /// Counts a request that the server itself refused, and gives the answer an identifier.
    func refused(status: Int, message: String, _ response: inout ServerResponse) {
        metrics.record(endpoint: nil, model: nil, status: status, nanoseconds: 0)
        let identifier = identifiers.make()
        logger.debug(
            "request refused",
            metadata: [
                "request": "\(identifier)", "status": "\(status)", "error": "\(Self.line(message))",
            ])
        response.headers[RequestIdentifiers.headerName] = identifier
    }

    /// One line for a request that failed. What a client brings about shows at the level debug alone: under overload lines
    /// would come by the thousand, and whoever reads them may be slow.
    private func log(
        _ error: RequestError, _ status: Int, _ identifier: String, _ request: HTTPRequest,
        _ nanoseconds: UInt64
    ) {
        let path = (request.path ?? "").prefix { $0 != "?" }
        logger.log(
            level: status == 500 ? .error : .debug, "request failed",
            metadata: [
                "request": "\(identifier)", "method": "\(request.method.rawValue)",
                // A query may hold secrets.
                "path": "\(Self.line(String(path)))",
                "status": "\(status)", "error": "\(Self.line(error.description))",
                "milliseconds": "\(Double(nanoseconds / 1000) / 1000)",
            ])
    }

    /// Bytes of a client's text that a line of the log repeats.
    private static let maximumLoggedByteCount = 512

    /// Without what could begin another line or move a terminal's cursor.
    private static func line(_ text: String) -> String {
        let bytes = text.utf8.prefix(maximumLoggedByteCount).map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
        return String(decoding: bytes, as: UTF8.self)
    }
}
