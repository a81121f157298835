import Synchronization

/// The models' figures under Triton's names, for dashboards that read them.
package struct TritonMetrics: MetricFamily {
    private let repository: ModelRepository
    private let scheduler: InferenceScheduler

    package init(repository: ModelRepository, scheduler: InferenceScheduler) {
        self.repository = repository
        self.scheduler = scheduler
    }

    package func write(to text: inout MetricText) {
        let loaded = repository.models.flatMap(\.loaded)
        let failure = "nv_inference_request_failure"
        text.header(name: failure, help: "Inference requests that failed, by reason.", type: "counter")
        for model in loaded {
            for reason in FailureReason.allCases {
                text.sample(
                    failure, MetricText.labels(of: model) + [("reason", reason.name)],
                    Double(model.statistics.failureCount(reason)))
            }
        }
        for (name, help, value) in Self.counters {
            text.family(name, help, "counter", loaded) { Double(value($0.statistics)) }
        }
        text.family(
            "nv_inference_pending_request_count", "Requests that wait for a worker.", "gauge", loaded
        ) { Double(scheduler.pendingCount(of: $0)) }
    }

    private static let counters:
        [(name: String, help: String, value: @Sendable (ModelStatistics) -> UInt64)] = [
            (
                "nv_inference_request_success", "Inference requests that were answered.",
                { $0.successCount.load(ordering: .relaxed) }
            ),
            (
                "nv_inference_count", "Items of all batches.",
                { $0.inferenceCount.load(ordering: .relaxed) }
            ),
            (
                "nv_inference_exec_count", "Runs of the network.",
                { $0.executionCount.load(ordering: .relaxed) }
            ),
            (
                "nv_inference_request_duration_us", "Reading, queueing and running, microseconds.",
                { $0.successNanoseconds.load(ordering: .relaxed) / 1000 }
            ),
            (
                "nv_inference_queue_duration_us", "Waiting for a worker, microseconds.",
                { $0.queueNanoseconds.load(ordering: .relaxed) / 1000 }
            ),
            (
                "nv_inference_compute_input_duration_us", "Reading the inputs, microseconds.",
                { $0.inputNanoseconds.load(ordering: .relaxed) / 1000 }
            ),
            (
                "nv_inference_compute_infer_duration_us", "Running the network, microseconds.",
                { $0.computeNanoseconds.load(ordering: .relaxed) / 1000 }
            ),
            (
                "nv_inference_compute_output_duration_us", "Writing the answers, microseconds.",
                { $0.outputNanoseconds.load(ordering: .relaxed) / 1000 }
            ),
        ]
}
