import ModelServing

/// What a version has done, as Triton's statistics extension tells it.
struct ModelStatisticsReport {
    /// How often, and how long altogether.
    struct Duration {
        let name: String
        /// Its place in the protobuf message.
        let field: Int
        let count: UInt64
        let nanoseconds: UInt64
    }

    struct Batch {
        let size: Int
        let durations: [Duration]
    }

    let name: String
    let version: String
    /// Milliseconds since 1970.
    let lastInference: UInt64
    let inferenceCount: UInt64
    let executionCount: UInt64
    let durations: [Duration]
    let batches: [Batch]
    /// Weights and the memory in which values live.
    let memoryByteCount: Int

    init(_ model: LoadedModel) {
        let statistics = model.statistics
        memoryByteCount =
            model.weightByteCount.addingReportingOverflow(model.sessions.arenaByteCount)
            .partialValue
        name = model.name
        version = model.version
        lastInference = statistics.lastInferenceMilliseconds.load(ordering: .relaxed)
        inferenceCount = statistics.inferenceCount.load(ordering: .relaxed)
        executionCount = statistics.executionCount.load(ordering: .relaxed)
        let successes = statistics.successCount.load(ordering: .relaxed)
        let rows: [(String, UInt64, UInt64)] = [
            ("success", successes, statistics.successNanoseconds.load(ordering: .relaxed)),
            (
                "fail", statistics.failureCount,
                statistics.failureNanoseconds.load(ordering: .relaxed)
            ),
            ("queue", successes, statistics.queueNanoseconds.load(ordering: .relaxed)),
            ("compute_input", successes, statistics.inputNanoseconds.load(ordering: .relaxed)),
            ("compute_infer", successes, statistics.computeNanoseconds.load(ordering: .relaxed)),
            (
                "compute_output", statistics.outputCount.load(ordering: .relaxed),
                statistics.outputNanoseconds.load(ordering: .relaxed)
            ),
            ("cache_hit", 0, 0),
            ("cache_miss", 0, 0),
        ]
        durations = rows.enumerated().map {
            Duration(name: $1.0, field: $0 + 1, count: $1.1, nanoseconds: $1.2)
        }
        batches = statistics.runsByBatchSize.map { size, runs in
            Batch(
                size: size,
                durations: [
                    Duration(
                        name: "compute_input", field: 2, count: runs.runCount,
                        nanoseconds: runs.inputNanoseconds),
                    Duration(
                        name: "compute_infer", field: 3, count: runs.runCount,
                        nanoseconds: runs.computeNanoseconds),
                    Duration(
                        name: "compute_output", field: 4, count: runs.outputCount,
                        nanoseconds: runs.outputNanoseconds),
                ])
        }
    }

    /// The reports of every version that is served: of one model, or of all where the name is empty.
    static func reports(
        of repository: ModelRepository, model name: String, version: String?
    ) throws(RequestError) -> [ModelStatisticsReport] {
        guard !name.isEmpty else {
            return repository.models.flatMap(\.loaded).map(ModelStatisticsReport.init)
        }
        do throws(ServingError) {
            let model = try repository.model(named: name)
            let resolved = try model.resolve(version)
            return (version == nil ? model.loaded : [resolved]).map(ModelStatisticsReport.init)
        } catch {
            throw .serving(error)
        }
    }
}

extension ModelStatisticsReport {
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("name")
            writer.string(name)
            writer.key("version")
            writer.string(version)
            for (key, value) in [
                ("last_inference", lastInference), ("inference_count", inferenceCount),
                ("execution_count", executionCount),
            ] {
                writer.key(key)
                writer.integer(Int(clamping: value))
            }
            writer.key("inference_stats")
            writer.object { writer in for duration in durations { duration.write(to: &writer) } }
            writer.key("response_stats")
            writer.object { _ in }
            writer.key("batch_stats")
            writer.array { writer in
                for batch in batches {
                    writer.object { writer in
                        writer.key("batch_size")
                        writer.integer(batch.size)
                        for duration in batch.durations { duration.write(to: &writer) }
                    }
                }
            }
            writer.key("memory_usage")
            writer.array { writer in
                writer.object { writer in
                    writer.key("type")
                    writer.string(Self.memoryType)
                    writer.key("id")
                    writer.integer(0)
                    writer.key("byte_size")
                    writer.integer(memoryByteCount)
                }
            }
        }
    }

    private static let memoryType = "CPU"

    func write(to writer: inout ProtobufWriter) {
        writer.string(1, name)
        writer.string(2, version)
        writer.integer(3, lastInference)
        writer.integer(4, inferenceCount)
        writer.integer(5, executionCount)
        writer.message(6) { writer in for duration in durations { duration.write(to: &writer) } }
        for batch in batches {
            writer.message(7) { writer in
                writer.integer(1, UInt64(max(0, batch.size)))
                for duration in batch.durations { duration.write(to: &writer) }
            }
        }
        writer.message(8) { writer in
            writer.string(1, Self.memoryType)
            writer.integer(3, UInt64(max(0, memoryByteCount)))
        }
    }
}

extension ModelStatisticsReport.Duration {
    func write(to writer: inout JSONWriter) {
        writer.key(name)
        writer.object { writer in
            writer.key("count")
            writer.integer(Int(clamping: count))
            writer.key("ns")
            writer.integer(Int(clamping: nanoseconds))
        }
    }

    func write(to writer: inout ProtobufWriter) {
        writer.message(field) { writer in
            writer.integer(1, count)
            writer.integer(2, nanoseconds)
        }
    }
}
