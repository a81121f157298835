import HTTPServer
import HTTPTypes
import ModelServing

/// Ties the endpoints to the server and counts what they do.
package struct ServingHandler: RequestHandler {
    private let router: Router
    private let grpc: GRPCService
    private let metrics: RequestMetrics
    private let repository: ModelRepository
    private let clock: MonotonicClock
    private let access: AccessPolicy?

    /// `catalog` gets the registry that GET /metrics shows.
    package init(_ services: ServingServices, clock: MonotonicClock) {
        let endpoints = EndpointCatalog.standard(services)
        grpc = GRPCService(services)
        // The metrics endpoint shows its own requests too, so its name must be known before it is made.
        let metrics = RequestMetrics(
            endpointNames: endpoints.map(\.name) + ["metrics"] + grpc.procedures.map(\.name),
            modelNames: services.repository.names)
        let registry = MetricsRegistry([
            metrics, ModelMetrics(repository: services.repository, scheduler: services.scheduler),
            ProcessMetrics(),
        ])
        router = Router(endpoints + [MetricsEndpoint(registry: registry)])
        self.metrics = metrics
        repository = services.repository
        self.clock = clock
        access = services.access
    }

    package func handle(_ request: ServerRequest, responder: Responder) {
        handle(request, isAbandoned: { responder.isClientGone }, completion: { responder.respond($0) })
    }

    package func errorResponse(
        status: HTTPResponse.Status, message: String, requestContentType: String?
    ) -> ServerResponse {
        metrics.record(endpoint: nil, model: nil, status: status.code, nanoseconds: 0)
        if GRPCService.isGRPC(requestContentType) {
            return GRPCResponse.error(GRPCStatus(status: status.code), message: message)
        }
        return APIResponse.error(status: status, message: message)
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
        let record = { @Sendable (status: Int, endpoint: Int?, model: Int?) in
            metrics.inFlight.add(-1)
            metrics.record(
                endpoint: endpoint, model: model, status: status, nanoseconds: clock.nanoseconds() &- start)
        }
        if grpc.claims(request.request) {
            return grpc.handle(request, isAbandoned: isAbandoned) { result, found in
                let response = GRPCService.response(result)
                // A failed call has status 200 too: it counts under the status that HTTP would have.
                var status = response.status.code
                if case .failure(let error) = result { status = error.status.code }
                let model = found.model.flatMap { try? repository.model(named: $0).index }
                record(status, found.procedure.map { $0 + router.endpoints.count }, model)
                completion(response)
            }
        }
        let finish = { @Sendable (response: ServerResponse, endpoint: Int?, model: Int?) in
            record(response.status.code, endpoint, model)
            completion(response)
        }
        let destination: Router.Destination
        do {
            destination = try router.destination(
                method: request.request.method, target: request.request.path ?? "")
        } catch {
            return finish(APIResponse.error(error), nil, nil)
        }
        let index = destination.index
        let model = try? repository.model(named: destination.model).index
        let call = EndpointCall(
            request: request, model: destination.model, version: destination.version, isAbandoned: isAbandoned
        )
        do {
            try access?.check(router.endpoints[index].scopes, request.request.headerFields)
            try router.endpoints[index].handle(call) { result in
                switch result {
                case .success(let response): finish(response, index, model)
                case .failure(let error): finish(APIResponse.error(error), index, model)
                }
            }
        } catch {
            finish(APIResponse.error(error), index, model)
        }
    }
}
