import HTTPServer
import HTTPTypes
import ModelServing

/// Ties the endpoints to the server and counts what they do.
package struct ServingHandler: RequestHandler {
    private let router: Router
    private let metrics: RequestMetrics
    private let repository: ModelRepository
    private let clock: MonotonicClock

    /// `catalog` gets the registry that GET /metrics shows.
    package init(_ services: ServingServices, clock: MonotonicClock) {
        let endpoints = EndpointCatalog.standard(services)
        // The metrics endpoint shows its own requests too, so its name must be known before it is made.
        let metrics = RequestMetrics(
            endpointNames: endpoints.map(\.name) + ["metrics"],
            modelNames: services.repository.models.map(\.name))
        let registry = MetricsRegistry([
            metrics, ModelMetrics(repository: services.repository, scheduler: services.scheduler),
            ProcessMetrics(),
        ])
        router = Router(endpoints + [MetricsEndpoint(registry: registry)])
        self.metrics = metrics
        repository = services.repository
        self.clock = clock
    }

    package func handle(_ request: ServerRequest, responder: Responder) {
        handle(request, isAbandoned: { responder.isClientGone }, completion: { responder.respond($0) })
    }

    package func errorResponse(status: HTTPResponse.Status, message: String) -> ServerResponse {
        metrics.record(endpoint: nil, model: nil, status: status.code, nanoseconds: 0)
        return APIResponse.error(status: status, message: message)
    }

    /// Answers a request; `completion` gets the answer from any thread, once.
    package func handle(
        _ request: ServerRequest, isAbandoned: @escaping @Sendable () -> Bool,
        completion: @escaping @Sendable (ServerResponse) -> Void
    ) {
        let start = clock.nanoseconds()
        metrics.inFlight.add(1)
        let finish = { @Sendable (response: ServerResponse, endpoint: Int?, model: Int?) in
            metrics.inFlight.add(-1)
            metrics.record(
                endpoint: endpoint, model: model, status: response.status.code,
                nanoseconds: clock.nanoseconds() &- start)
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
