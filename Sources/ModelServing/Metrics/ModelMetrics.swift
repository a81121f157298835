import Synchronization

/// The repository's and its models' figures.
package struct ModelMetrics: MetricFamily {
    private let repository: ModelRepository
    private let scheduler: InferenceScheduler

    package init(repository: ModelRepository, scheduler: InferenceScheduler) {
        self.repository = repository
        self.scheduler = scheduler
    }

    package func write(to text: inout MetricText) {
        let models = repository.models
        Self.single(&text, "foldserve_models", "Models in the repository.", models.count)
        Self.single(
            &text, "foldserve_models_ready", "Models of which every version is served.",
            models.count { $0.isReady })
        let loaded = models.flatMap(\.loaded)
        writeInfo(loaded, &text)
        for (name, help, value) in Self.gauges(scheduler) {
            text.family(name, help, "gauge", loaded) { Double(value($0)) }
        }
        writeCounts(loaded, &text)
        for (name, help, histogram) in Self.histograms {
            text.header(name: name, help: help, type: "histogram")
            for model in loaded {
                histogram(model.statistics.phases).write(name, MetricText.labels(of: model), to: &text)
            }
        }
    }

    private static func gauges(
        _ scheduler: InferenceScheduler
    ) -> [(name: String, help: String, value: (LoadedModel) -> Int)] {
        [
            ("foldserve_queue_depth", "Requests that wait for a worker.", { scheduler.pendingCount(of: $0) }),
            (
                "foldserve_model_weight_bytes", "Weights that the network reads, packed or as they are.",
                { $0.weightByteCount }
            ),
            (
                "foldserve_model_arena_bytes", "Memory in which the network's values live while it runs.",
                { $0.sessions.arenaByteCount }
            ),
        ]
    }

    private static let histograms:
        [(name: String, help: String, histogram: @Sendable (PhaseHistograms) -> Histogram)] = [
            ("foldserve_read_duration_seconds", "Reading the inputs of a prediction.", { $0.read }),
            ("foldserve_queue_duration_seconds", "Waiting for a worker.", { $0.queue }),
            ("foldserve_compute_duration_seconds", "Running the network.", { $0.compute }),
            ("foldserve_serialise_duration_seconds", "Writing the answer of a prediction.", { $0.serialise }),
            ("foldserve_batch_size", "Items in a run of the network.", { $0.batchSize }),
        ]

    private func writeInfo(_ loaded: [LoadedModel], _ text: inout MetricText) {
        let name = "foldserve_model_info"
        text.header(
            name: name, help: "Versions that are served, with the SHA-256 of the model and of its fold.",
            type: "gauge")
        for model in loaded {
            let digests = [
                ("platform", model.platform), ("model_digest", model.digests?.model ?? ""),
                ("fold_digest", model.digests?.fold ?? ""),
            ]
            text.sample(name, MetricText.labels(of: model) + digests, 1)
        }
        text.family("foldserve_model_load_seconds", "How long loading took.", "gauge", loaded) {
            $0.loadSeconds
        }
    }

    private func writeCounts(_ loaded: [LoadedModel], _ text: inout MetricText) {
        let requests = "foldserve_inference_requests_total"
        text.header(
            name: requests, help: "Predictions that were queued or refused, by outcome.", type: "counter")
        for model in loaded {
            let labels = MetricText.labels(of: model)
            let successes = model.statistics.successCount.load(ordering: .relaxed)
            text.sample(requests, labels + [("outcome", "success")], Double(successes))
            for reason in FailureReason.allCases {
                text.sample(
                    requests, labels + [("outcome", reason.name.lowercased())],
                    Double(model.statistics.failureCount(reason)))
            }
        }
        text.family("foldserve_inference_items_total", "Items of all predictions.", "counter", loaded) {
            Double($0.statistics.inferenceCount.load(ordering: .relaxed))
        }
        text.family("foldserve_executions_total", "Runs of the network.", "counter", loaded) {
            Double($0.statistics.executionCount.load(ordering: .relaxed))
        }
    }

    private static func single(_ text: inout MetricText, _ name: String, _ help: String, _ value: Int) {
        text.header(name: name, help: help, type: "gauge")
        text.sample(name, [], Double(value))
    }
}

extension MetricText {
    static func labels(of model: LoadedModel) -> [(name: String, value: String)] {
        [("model", model.name), ("version", model.version)]
    }

    /// One name with a line for each version.
    mutating func family(
        _ name: String, _ help: String, _ type: String, _ models: [LoadedModel],
        _ value: (LoadedModel) -> Double
    ) {
        header(name: name, help: help, type: type)
        for model in models { sample(name, Self.labels(of: model), value(model)) }
    }
}
