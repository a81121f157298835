import HTTPServer
import HTTPTypes
import ModelServing

/// Ties endpoints and procedures to a listener: looks at tokens and has what they do recorded.
package final class ServingHandler: RequestHandler {
    private let router: Router
    private let grpc: GRPCService
    /// `nil` lets everyone ask everything.
    private let access: AccessPolicy?
    let recorder: RequestRecorder
    /// At the places of the router's endpoints, those that know their answers at once.
    private let immediateEndpoints: [(any ImmediateEndpoint)?]
    /// The metrics' numbers of the endpoints, and behind them of the procedures.
    private let metricNumbers: [Int?]

    /// Metrics call an endpoint by `metricPrefix` and its name.
    init(
        _ router: Router, _ grpc: GRPCService, access: AccessPolicy?, recorder: RequestRecorder,
        metricPrefix: String = ""
    ) {
        self.router = router
        self.grpc = grpc
        self.access = access
        self.recorder = recorder
        immediateEndpoints = router.endpoints.map(\.immediate)
        metricNumbers = (router.endpoints.map(\.name) + grpc.procedures.map(\.name)).map {
            recorder.metrics.endpointNames.number(of: metricPrefix + $0)
        }
    }

    /// The port of predictions. GET /metrics shows the requests of every listener.
    package convenience init(_ services: ServingServices, clock: MonotonicClock) {
        let (repository, scheduler) = (services.repository, services.scheduler)
        let metrics = RequestMetrics(modelNames: repository.names)
        var families: [any MetricFamily] = [
            metrics, repository.loadCounts, ModelMetrics(repository: repository, scheduler: scheduler),
            ProcessMetrics(),
        ]
        if services.observability.hasTritonNames {
            families.append(TritonMetrics(repository: repository, scheduler: scheduler))
        }
        let registry = MetricsRegistry(families)
        self.init(
            Router(EndpointCatalog.standard(services) + [MetricsEndpoint(registry: registry)]),
            GRPCService(services, ProcedureCatalog.standard(services)), access: services.access,
            recorder: RequestRecorder(
                metrics: metrics, repository: repository, clock: clock, logger: services.logger))
    }

    package func handle(_ request: ServerRequest, responder: () -> Responder) -> ServerResponse? {
        let entry = recorder.begin(request.request)
        let admission = admit(request.request, request.version)
        if let response = immediateAnswer(entry, admission, request) { return response }
        let responder = responder()
        answer(
            entry, admission, request, isAbandoned: { responder.isClientGone },
            completion: { responder.respond($0) })
        return nil
    }

    package func errorResponse(
        status: HTTPResponse.Status, message: String, requestContentType: String?
    ) -> ServerResponse {
        var response =
            GRPCService.isGRPC(requestContentType)
            ? GRPCResponse.error(GRPCStatus(status: status.code), message: message)
            : APIResponse.error(status: status, message: message)
        recorder.refused(status: status.code, message: message, &response)
        return response
    }

    /// A client without a token is told before it sends its body, and a call that no procedure answers may be a stream
    /// that never ends. Where everyone may ask, a path that leads nowhere is no reason to give up a connection.
    package func earlyResponse(to request: HTTPRequest, version: HTTPVersion) -> ServerResponse? {
        guard access != nil || grpc.claims(request) else { return nil }
        let admission = admit(request, version)
        guard case .nowhere(let error) = admission.destination else { return nil }
        return answer(request, recorder.begin(request), admission, model: admission.model, error)
    }

    /// Answers a request; `completion` gets the answer from any thread, once.
    package func handle(
        _ request: ServerRequest, isAbandoned: @escaping @Sendable () -> Bool,
        completion: @escaping @Sendable (ServerResponse) -> Void
    ) {
        let entry = recorder.begin(request.request)
        let admission = admit(request.request, request.version)
        if let response = immediateAnswer(entry, admission, request) { return completion(response) }
        answer(entry, admission, request, isAbandoned: isAbandoned, completion: completion)
    }

    /// The answer of a request that goes no further than its head, or to an endpoint that knows its answer at once.
    private func immediateAnswer(
        _ entry: RequestRecorder.Entry, _ admission: Admission, _ request: ServerRequest
    ) -> ServerResponse? {
        do throws(RequestError) {
            switch admission.destination {
            case .nowhere(let error): throw error
            case .procedure: return nil
            case .endpoint(let index):
                guard let endpoint = immediateEndpoints[index] else { return nil }
                var response = try endpoint.respond(
                    to: EndpointCall(
                        request: request, model: admission.model, version: admission.version,
                        isAbandoned: { false }))
                recorder.end(
                    entry, request.request, endpoint: admission.metricNumber, model: admission.model,
                    error: nil, &response)
                return response
            }
        } catch {
            return answer(request.request, entry, admission, model: admission.model, error)
        }
    }

    private func answer(
        _ entry: RequestRecorder.Entry, _ admission: Admission, _ request: ServerRequest,
        isAbandoned: @escaping @Sendable () -> Bool,
        completion: @escaping @Sendable (ServerResponse) -> Void
    ) {
        // The body is let go when it is read.
        let head = request.request
        do throws(RequestError) {
            switch admission.destination {
            case .nowhere(let error): throw error
            case .endpoint(let index):
                let call = EndpointCall(
                    request: request, model: admission.model, version: admission.version,
                    isAbandoned: isAbandoned)
                try router.endpoints[index].handle(call) { [self] result in
                    completion(answer(head, entry, admission, model: admission.model, result))
                }
            case .procedure(let index):
                grpc.handle(request, procedure: index, isAbandoned: isAbandoned) { [self] result, model in
                    completion(answer(head, entry, admission, model: model, result))
                }
            }
        } catch {
            completion(answer(head, entry, admission, model: admission.model, error))
        }
    }

    // MARK: - Heads

    private enum Destination {
        case endpoint(Int)
        case procedure(Int)
        case nowhere(RequestError)
    }

    /// What a request's head decides: where it leads, or why it goes no further.
    private struct Admission {
        /// Of gRPC.
        let isCall: Bool
        /// Of the endpoint or the procedure.
        var metricNumber: Int?
        /// Of the path; that of a call is in its message.
        var model = ""
        var version: String?
        var destination: Destination
    }

    private func admit(_ head: HTTPRequest, _ version: HTTPVersion) -> Admission {
        let isCall = grpc.claims(head)
        var admission = Admission(isCall: isCall, destination: .procedure(0))
        do throws(RequestError) {
            let scopes: AccessScopes
            if isCall {
                let index = try grpc.procedure(for: head, version)
                admission.metricNumber = metricNumbers[router.endpoints.count + index]
                (admission.destination, scopes) = (.procedure(index), grpc.procedures[index].scopes)
            } else {
                let found = try router.destination(method: head.method, target: head.path ?? "")
                admission.metricNumber = metricNumbers[found.index]
                (admission.model, admission.version) = (found.model, found.version)
                (admission.destination, scopes) = (
                    .endpoint(found.index), router.endpoints[found.index].scopes
                )
            }
            try access?.check(scopes, head.headerFields)
        } catch {
            admission.destination = .nowhere(error)
        }
        return admission
    }

    // MARK: - Answers

    /// The answer that an outcome makes, once it is recorded.
    private func answer(
        _ head: HTTPRequest, _ entry: RequestRecorder.Entry, _ admission: Admission, model: String,
        _ result: Result<ServerResponse, RequestError>
    ) -> ServerResponse {
        switch result {
        case .success(var response):
            recorder.end(
                entry, head, endpoint: admission.metricNumber, model: model, error: nil, &response)
            return response
        case .failure(let error): return answer(head, entry, admission, model: model, error)
        }
    }

    private func answer(
        _ head: HTTPRequest, _ entry: RequestRecorder.Entry, _ admission: Admission, model: String,
        _ error: RequestError
    ) -> ServerResponse {
        var response = admission.isCall ? GRPCService.response(error) : APIResponse.error(error)
        recorder.end(entry, head, endpoint: admission.metricNumber, model: model, error: error, &response)
        return response
    }
}
