import HTTPServer
import HTTPTypes
import Logging
import ModelServing

/// Ties the endpoints to the server and counts what they do.
package struct ServingHandler: RequestHandler {
    private let router: Router
    private let grpc: GRPCService
    private let metrics: RequestMetrics
    private let repository: ModelRepository
    private let clock: MonotonicClock
    private let access: AccessPolicy?
    private let logger: Logger
    private let identifiers = RequestIdentifiers(seed: UInt64.random(in: 0...UInt64.max))

    /// `catalog` gets the registry that GET /metrics shows.
    package init(_ services: ServingServices, clock: MonotonicClock) {
        let endpoints = EndpointCatalog.standard(services)
        grpc = GRPCService(services)
        // The metrics endpoint shows its own requests too, so its name must be known before it is made.
        let metrics = RequestMetrics(
            endpointNames: endpoints.map(\.name) + ["metrics"] + grpc.procedures.map(\.name),
            modelNames: services.repository.names)
        let (repository, scheduler) = (services.repository, services.scheduler)
        var families: [any MetricFamily] = [
            metrics, repository.loadCounts, ModelMetrics(repository: repository, scheduler: scheduler),
            ProcessMetrics(),
        ]
        if services.observability.hasTritonNames {
            families.append(TritonMetrics(repository: repository, scheduler: scheduler))
        }
        let registry = MetricsRegistry(families)
        router = Router(endpoints + [MetricsEndpoint(registry: registry)])
        self.metrics = metrics
        self.repository = repository
        self.clock = clock
        access = services.access
        logger = services.logger
    }

    package func handle(_ request: ServerRequest, responder: Responder) {
        handle(request, isAbandoned: { responder.isClientGone }, completion: { responder.respond($0) })
    }

    package func errorResponse(
        status: HTTPResponse.Status, message: String, requestContentType: String?
    ) -> ServerResponse {
        metrics.record(endpoint: nil, model: nil, status: status.code, nanoseconds: 0)
        let identifier = identifiers.make()
        logger.debug(
            "request refused",
            metadata: [
                "request": "\(identifier)", "status": "\(status.code)", "error": "\(Self.line(message))",
            ])
        var response =
            GRPCService.isGRPC(requestContentType)
            ? GRPCResponse.error(GRPCStatus(status: status.code), message: message)
            : APIResponse.error(status: status, message: message)
        response.headers[RequestIdentifiers.headerName] = identifier
        return response
    }

    /// A call that no procedure answers may be a stream that never ends.
    package func earlyResponse(path: String, contentType: String?) -> ServerResponse? {
        guard GRPCService.isGRPC(contentType), let error = grpc.refusal(ofPath: path) else { return nil }
        metrics.record(endpoint: nil, model: nil, status: error.status.code, nanoseconds: 0)
        return GRPCResponse.error(error)
    }

    /// Answers a request; `completion` gets the answer from any thread, once.
    package func handle(
        _ request: ServerRequest, isAbandoned: @escaping @Sendable () -> Bool,
        completion: @escaping @Sendable (ServerResponse) -> Void
    ) {
        let start = clock.nanoseconds()
        metrics.inFlight.add(1)
        let own = RequestIdentifiers.own(request.request.headerFields)
        let finish = {
            @Sendable
            (
                result: Result<ServerResponse, RequestError>, response: ServerResponse, endpoint: Int?,
                model: Int?
            ) in
            metrics.inFlight.add(-1)
            let nanoseconds = clock.nanoseconds() &- start
            var response = response
            // A failed call has status 200 too: it counts under the status that HTTP would have.
            var status = response.status.code
            if case .failure(let error) = result { status = error.status.code }
            metrics.record(endpoint: endpoint, model: model, status: status, nanoseconds: nanoseconds)
            // What is asked again and again, and cannot fail, does not need a name.
            if own != nil || status >= 400 || request.request.method == .post {
                let identifier = own ?? identifiers.make()
                response.headers[RequestIdentifiers.headerName] = identifier
                if case .failure(let error) = result {
                    log(error, status, identifier, request.request, nanoseconds)
                }
            }
            completion(response)
        }
        if grpc.claims(request.request) {
            return grpc.handle(request, isAbandoned: isAbandoned) { result, found in
                let model = found.model.flatMap { try? repository.model(named: $0).index }
                let procedure = found.procedure.map { $0 + router.endpoints.count }
                finish(result, GRPCService.response(result), procedure, model)
            }
        }
        let respond = {
            @Sendable (result: Result<ServerResponse, RequestError>, endpoint: Int?, model: Int?) in
            switch result {
            case .success(let response): finish(result, response, endpoint, model)
            case .failure(let error): finish(result, APIResponse.error(error), endpoint, model)
            }
        }
        let destination: Router.Destination
        do {
            destination = try router.destination(
                method: request.request.method, target: request.request.path ?? "")
        } catch {
            return respond(.failure(error), nil, nil)
        }
        let index = destination.index
        let model =
            destination.model.isEmpty ? nil : try? repository.model(named: destination.model).index
        let call = EndpointCall(
            request: request, model: destination.model, version: destination.version, isAbandoned: isAbandoned
        )
        do {
            try access?.check(router.endpoints[index].scopes, request.request.headerFields)
            try router.endpoints[index].handle(call) { respond($0, index, model) }
        } catch {
            respond(.failure(error), index, model)
        }
    }

    /// One line for a request that failed. What a client brings about shows at the level debug alone: under overload lines
    /// would come by the thousand, and whoever reads them may be slow.
    private func log(
        _ error: RequestError, _ status: Int, _ identifier: String, _ request: HTTPRequest,
        _ nanoseconds: UInt64
    ) {
        logger.log(
            level: status == 500 ? .error : .debug, "request failed",
            metadata: [
                "request": "\(identifier)", "method": "\(request.method.rawValue)",
                // A query may hold secrets.
                "path": "\(Self.line(String((request.path ?? "").prefix { $0 != "?" })))",
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
