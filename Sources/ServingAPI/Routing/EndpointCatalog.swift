import ModelServing

/// Every endpoint, in the order in which paths are compared.
package enum EndpointCatalog {
    package static func standard(_ services: ServingServices) -> [any Endpoint] {
        [
            ServerMetadataEndpoint(version: services.serverVersion),
            LiveEndpoint(),
            ReadyEndpoint(repository: services.repository),
            ModelListEndpoint(repository: services.repository),
            // Before the models: its path looks like that of a model of the name.
            ModelStatisticsEndpoint(repository: services.repository),
            ModelConfigEndpoint(repository: services.repository, scheduler: services.scheduler),
            ModelMetadataEndpoint(repository: services.repository),
            ModelReadyEndpoint(repository: services.repository),
            InferEndpoint(services),
            ModelNamesEndpoint(repository: services.repository),
            ModelStatusEndpoint(repository: services.repository),
            SignatureEndpoint(repository: services.repository),
            PredictEndpoint(services),
            PredictVerbsEndpoint(),
            AliveEndpoint(),
            RepositoryIndexEndpoint(repository: services.repository, limits: services.limits),
            RepositoryControlEndpoint(),
            FoldEndpoint(services),
            GraphEndpoint(services),
        ]
    }
}
