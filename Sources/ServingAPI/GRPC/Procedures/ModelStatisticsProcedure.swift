import ModelServing

/// ModelStatistics: what the versions that are served have done; of all models where none is named.
struct ModelStatisticsProcedure: ImmediateProcedure {
    let name = "grpc_model_statistics"
    let method = "ModelStatistics"
    let isAboutModel = true
    let repository: ModelRepository

    func respond(to call: ProcedureCall, _ writer: inout ProtobufWriter) throws(RequestError) {
        let reports = try ModelStatisticsReport.reports(
            of: repository, model: call.model, version: call.version)
        for report in reports { writer.message(1) { report.write(to: &$0) } }
    }
}
