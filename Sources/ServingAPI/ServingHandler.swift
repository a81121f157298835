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

    package func handle(_ request: ServerRequest, responder: Responder) {
        handle(request, isAbandoned: { responder.isClientGone }, completion: { responder.respond($0) })
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
        guard case .failure(let error) = admission.outcome else { return nil }
        return answer(recorder.begin(request), admission, model: admission.model, .failure(error))
    }

    /// Answers a request; `completion` gets the answer from any thread, once.
    package func handle(
        _ request: ServerRequest, isAbandoned: @escaping @Sendable () -> Bool,
        completion: @escaping @Sendable (ServerResponse) -> Void
    ) {
        let entry = recorder.begin(request.request)
        let admission = admit(request.request, request.version)
        do throws(RequestError) {
            switch try admission.outcome.get() {
            case .endpoint(let index, let version):
                let call = EndpointCall(
                    request: request, model: admission.model, version: version, isAbandoned: isAbandoned)
                try router.endpoints[index].handle(call) { [self] result in
                    completion(answer(entry, admission, model: admission.model, result))
                }
            case .procedure(let index):
                grpc.handle(request, procedure: index, isAbandoned: isAbandoned) { [self] result, model in
                    completion(answer(entry, admission, model: model, result))
                }
            }
        } catch {
            completion(answer(entry, admission, model: admission.model, .failure(error)))
        }
    }

    // MARK: - Heads

    private enum Destination {
        case endpoint(Int, version: String?)
        case procedure(Int)
    }

    /// What a request's head decides: where it leads, or why it goes no further.
    private struct Admission {
        /// Of gRPC.
        let isCall: Bool
        /// Of the endpoint or the procedure.
        var metricNumber: Int?
        /// Of the path; that of a call is in its message.
        var model = ""
        var outcome: Result<Destination, RequestError>
    }

    private func admit(_ head: HTTPRequest, _ version: HTTPVersion) -> Admission {
        let isCall = grpc.claims(head)
        var (metricNumber, model): (Int?, String) = (nil, "")
        do throws(RequestError) {
            let destination: Destination
            let scopes: AccessScopes
            if isCall {
                let index = try grpc.procedure(for: head, version)
                metricNumber = metricNumbers[router.endpoints.count + index]
                (destination, scopes) = (.procedure(index), grpc.procedures[index].scopes)
            } else {
                let found = try router.destination(method: head.method, target: head.path ?? "")
                (metricNumber, model) = (metricNumbers[found.index], found.model)
                destination = .endpoint(found.index, version: found.version)
                scopes = router.endpoints[found.index].scopes
            }
            try access?.check(scopes, head.headerFields)
            return Admission(
                isCall: isCall, metricNumber: metricNumber, model: model, outcome: .success(destination))
        } catch {
            return Admission(
                isCall: isCall, metricNumber: metricNumber, model: model, outcome: .failure(error))
        }
    }

    // MARK: - Answers

    /// The answer that an outcome makes, once it is recorded.
    private func answer(
        _ entry: RequestRecorder.Entry, _ admission: Admission, model: String,
        _ result: Result<ServerResponse, RequestError>
    ) -> ServerResponse {
        var response: ServerResponse
        var error: RequestError?
        switch result {
        case .success(let success): response = success
        case .failure(let failure):
            response = admission.isCall ? GRPCService.response(failure) : APIResponse.error(failure)
            error = failure
        }
        recorder.end(entry, endpoint: admission.metricNumber, model: model, error: error, &response)
        return response
    }
}
