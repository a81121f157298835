/// Every procedure. What is not here answers UNIMPLEMENTED.
enum ProcedureCatalog {
    static let inferenceService = "inference.GRPCInferenceService"
    static let healthService = "grpc.health.v1.Health"
    static let services = [inferenceService, healthService]
    static let pathPrefixes = services.map { "/\($0)/" }

    static func standard(_ services: ServingServices) -> [any Procedure] {
        [
            ServerLiveProcedure(),
            ServerReadyProcedure(repository: services.repository),
            ModelReadyProcedure(repository: services.repository),
            ServerMetadataProcedure(version: services.serverVersion),
            ModelMetadataProcedure(repository: services.repository),
            ModelInferProcedure(services),
            ModelConfigProcedure(repository: services.repository, scheduler: services.scheduler),
            ModelStatisticsProcedure(repository: services.repository),
            RepositoryIndexProcedure(repository: services.repository),
            RepositoryControlProcedure(method: "RepositoryModelLoad"),
            RepositoryControlProcedure(method: "RepositoryModelUnload"),
            HealthCheckProcedure(repository: services.repository),
        ]
    }
}
