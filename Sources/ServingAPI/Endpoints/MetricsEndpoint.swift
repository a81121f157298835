import HTTPServer
import ModelServing

/// GET /metrics: everything that is counted.
struct MetricsEndpoint: ImmediateEndpoint {
    let name = "metrics"
    let paths = ["/metrics"]
    let scopes: AccessScopes = .metrics
    let registry: MetricsRegistry

    func respond(to call: EndpointCall) -> ServerResponse {
        ServerResponse(
            status: .ok, headers: [.contentType: MetricsRegistry.contentType], body: registry.exposition())
    }
}
