import HTTPServer
import ModelServing

/// GET /v2/models/stats and /v2/models/M/stats: what the versions that are served have done.
struct ModelStatisticsEndpoint: ImmediateEndpoint {
    let name = "model_statistics"
    let paths = [
        "/v2/models/stats", "/v2/models/{model}/stats", "/v2/models/{model}/versions/{version}/stats",
    ]
    let repository: ModelRepository

    func respond(to call: EndpointCall) throws(RequestError) -> ServerResponse {
        let reports = try ModelStatisticsReport.reports(
            of: repository, model: call.model, version: call.version)
        return APIResponse.json { writer in
            writer.key("model_stats")
            writer.array { writer in for report in reports { report.write(to: &writer) } }
        }
    }
}
