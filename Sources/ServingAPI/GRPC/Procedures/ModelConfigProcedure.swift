import ModelServing

/// ModelConfig: the model's configuration in Triton's form.
struct ModelConfigProcedure: ImmediateProcedure {
    let name = "grpc_model_config"
    let method = "ModelConfig"
    let isAboutModel = true
    let scopes: AccessScopes = [.predict, .introspect]
    let repository: ModelRepository
    let scheduler: InferenceScheduler

    func respond(to call: ProcedureCall, _ writer: inout ProtobufWriter) throws(RequestError) {
        let configuration = ModelConfiguration(try repository.loaded(call), scheduler: scheduler)
        writer.message(1) { configuration.write(to: &$0) }
    }
}
