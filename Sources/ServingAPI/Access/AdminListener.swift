import ModelServing

extension ServingHandler {
    /// What the admin listener answers: which models there are, and loading and unloading them. Every call but health needs
    /// a token; nothing of it is on the port of predictions, whose /metrics counts its requests too.
    package func admin(_ services: ServingServices, access: AccessPolicy) -> ServingHandler {
        let (repository, limits) = (services.repository, services.limits)
        let router = Router([
            LiveEndpoint(),
            ReadyEndpoint(repository: repository),
            RepositoryIndexEndpoint(repository: repository, limits: limits),
            RepositoryLoadEndpoint(repository: repository, limits: limits),
            RepositoryUnloadEndpoint(repository: repository, limits: limits),
        ])
        let grpc = GRPCService(
            services,
            [
                ServerLiveProcedure(),
                ServerReadyProcedure(repository: repository),
                RepositoryIndexProcedure(repository: repository),
                RepositoryActionProcedure(action: .load, repository: repository),
                RepositoryActionProcedure(action: .unload, repository: repository),
                HealthCheckProcedure(repository: repository),
            ])
        return ServingHandler(router, grpc, access: access, recorder: recorder, metricPrefix: "admin_")
    }
}
