import Synchronization

/// The repository's and its models' figures, under the names that dashboards for Triton read where they mean the same.
package struct ModelMetrics: MetricFamily {
    private let repository: ModelRepository
    private let scheduler: InferenceScheduler

    package init(repository: ModelRepository, scheduler: InferenceScheduler) {
        self.repository = repository
        self.scheduler = scheduler
    }

    package func write(to text: inout MetricText) {
        text.header(name: "foldserve_models", help: "Models in the repository.", type: "gauge")
        text.sample("foldserve_models", [], Double(repository.models.count))
        text.header(
            name: "foldserve_models_ready", help: "Models of which every version is served.", type: "gauge")
        text.sample("foldserve_models_ready", [], Double(repository.models.count { $0.isReady }))
        let loaded = repository.models.flatMap(\.loaded)
        let family = {
            (text: inout MetricText, name: String, help: String, type: String, value: (LoadedModel) -> Double)
            in
            text.header(name: name, help: help, type: type)
            for model in loaded {
                text.sample(name, [("model", model.name), ("version", model.version)], value(model))
            }
        }
        let counter = {
            (text: inout MetricText, name: String, help: String, value: (ModelStatistics) -> UInt64) in
            family(&text, name, help, "counter") { Double(value($0.statistics)) }
        }
        counter(&text, "nv_inference_request_success", "Inference requests that were answered.") {
            $0.successCount.load(ordering: .relaxed)
        }
        counter(&text, "nv_inference_request_failure", "Inference requests that failed or were refused.") {
            $0.failureCount.load(ordering: .relaxed)
        }
        counter(&text, "nv_inference_count", "Items of all batches.") {
            $0.inferenceCount.load(ordering: .relaxed)
        }
        counter(&text, "nv_inference_exec_count", "Runs of the network.") {
            $0.executionCount.load(ordering: .relaxed)
        }
        counter(&text, "nv_inference_request_duration_us", "Reading, queueing and running, microseconds.") {
            $0.successNanoseconds.load(ordering: .relaxed) / 1000
        }
        counter(&text, "nv_inference_queue_duration_us", "Waiting for a worker, microseconds.") {
            $0.queueNanoseconds.load(ordering: .relaxed) / 1000
        }
        counter(&text, "nv_inference_compute_infer_duration_us", "Running the network, microseconds.") {
            $0.computeNanoseconds.load(ordering: .relaxed) / 1000
        }
        counter(&text, "nv_inference_compute_input_duration_us", "Reading the inputs, microseconds.") {
            $0.inputNanoseconds.load(ordering: .relaxed) / 1000
        }
        counter(&text, "nv_inference_compute_output_duration_us", "Writing the answers, microseconds.") {
            $0.outputNanoseconds.load(ordering: .relaxed) / 1000
        }
        family(&text, "nv_inference_pending_request_count", "Requests that wait for a worker.", "gauge") {
            Double(scheduler.pendingCount(of: $0))
        }
    }
}
