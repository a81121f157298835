import HTTPServer
import HTTPTypes
import ModelServing

/// What the admin listener answers: which models there are, and loading and unloading them. Every call but health needs
/// a token; nothing of it is on the port of predictions.
package struct AdminHandler: RequestHandler {
    private let router: Router
    private let grpc: GRPCService
    private let access: AccessPolicy

    package init(_ services: ServingServices, access: AccessPolicy) {
        var services = services
        services.access = access
        let (repository, limits) = (services.repository, services.limits)
        self.access = access
        router = Router([
            LiveEndpoint(),
            ReadyEndpoint(repository: repository),
            RepositoryIndexEndpoint(repository: repository, limits: limits),
            RepositoryLoadEndpoint(repository: repository, limits: limits),
            RepositoryUnloadEndpoint(repository: repository, limits: limits),
        ])
        grpc = GRPCService(
            services,
            procedures: [
                ServerLiveProcedure(),
                ServerReadyProcedure(repository: repository),
                RepositoryIndexProcedure(repository: repository),
                RepositoryActionProcedure(action: .load, repository: repository),
                RepositoryActionProcedure(action: .unload, repository: repository),
                HealthCheckProcedure(repository: repository),
            ])
    }

    package func handle(_ request: ServerRequest, responder: Responder) {
        handle(request, isAbandoned: { responder.isClientGone }, completion: { responder.respond($0) })
    }

    package func errorResponse(
        status: HTTPResponse.Status, message: String, requestContentType: String?
    ) -> ServerResponse {
        guard GRPCService.isGRPC(requestContentType) else {
            return APIResponse.error(status: status, message: message)
        }
        return GRPCResponse.error(GRPCStatus(status: status.code), message: message)
    }

    package func earlyResponse(path: String, contentType: String?) -> ServerResponse? {
        guard GRPCService.isGRPC(contentType), let error = grpc.refusal(ofPath: path) else { return nil }
        return GRPCResponse.error(error)
    }

    /// Answers a request; `completion` gets the answer from any thread, once.
    package func handle(
        _ request: ServerRequest, isAbandoned: @escaping @Sendable () -> Bool,
        completion: @escaping @Sendable (ServerResponse) -> Void
    ) {
        if grpc.claims(request.request) {
            return grpc.handle(request, isAbandoned: isAbandoned) { result, _ in
                completion(GRPCService.response(result))
            }
        }
        do throws(RequestError) {
            let destination = try router.destination(
                method: request.request.method, target: request.request.path ?? "")
            let endpoint = router.endpoints[destination.index]
            try access.check(endpoint.scopes, request.request.headerFields)
            let call = EndpointCall(
                request: request, model: destination.model, version: destination.version,
                isAbandoned: isAbandoned)
            try endpoint.handle(call) { result in
                switch result {
                case .success(let response): completion(response)
                case .failure(let error): completion(APIResponse.error(error))
                }
            }
        } catch {
            completion(APIResponse.error(error))
        }
    }
}
