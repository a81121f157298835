import ModelServing
import Synchronization
import Tensors
import TestSupport
import Testing

@Suite struct BatchingTests {
    private func bench(
        maximum: Int = 8, delayMicroseconds: UInt64 = 0, names: [String] = ["m"]
    ) throws -> SchedulerBench {
        try SchedulerBench(
            .init(
                batching: BatchPolicy(maximumItemCount: maximum, queueDelayMicroseconds: delayMicroseconds)),
            names: names)
    }

    /// So many items of rising numbers from `first` on.
    private func values(_ first: Float, _ count: Int = 1) -> [Float] {
        (0..<2 * count).map { first + Float($0) }
    }

    private func sizes(_ bench: SchedulerBench) throws -> [Int: UInt64] {
        try Dictionary(
            uniqueKeysWithValues: bench.model().statistics.runsByBatchSize.map { ($0.size, $0.runs.runCount) }
        )
    }

    @Test func `what waits rides in one run, and each gets its own part back`() throws {
        let bench = try bench()
        let gate = try bench.block()
        let requests = [values(10), values(20, 3), values(30, 2)]
        for values in requests { try bench.submit(bench.request(values)) }
        gate.open()
        let outcomes = try bench.outcomes.wait(4).dropFirst().map { try $0.get() }
        for (outcome, values) in zip(outcomes, requests) {
            #expect(outcome.batchItemCount == 6)
            let output = try #require(outcome.outputs["y"])
            #expect(output.shape.dimensions == [values.count / 2, 2])
            #expect(try output.elements(as: Float.self) == values.map { 2 * $0 + 1 })
        }
        #expect(try sizes(bench) == [1: 1, 6: 1])
        let statistics = try bench.model().statistics
        #expect(statistics.executionCount.load(ordering: .relaxed) == 2)
        #expect(statistics.inferenceCount.load(ordering: .relaxed) == 7)
        #expect(statistics.successCount.load(ordering: .relaxed) == 4)
    }

    @Test func `a batch is filled up to its bound, in order, past what does not fit`() throws {
        let bench = try bench(maximum: 4)
        let gate = try bench.block()
        for (name, count) in [("a", 2), ("b", 3), ("c", 2), ("d", 9), ("e", 1), ("f", 1)] {
            try bench.submit(bench.request(values(0, count)), as: name)
        }
        gate.open()
        #expect(bench.outcomes.names(7) == ["gate", "a", "c", "b", "e", "d", "f"])
        #expect(try sizes(bench) == [1: 2, 4: 2, 9: 1])
    }

    @Test func `other shapes ride apart`() throws {
        let bench = try bench()
        let gate = try bench.block()
        try bench.submit(bench.request([1, 2]))
        // The network refuses a third column; only the request that has it is told so.
        try bench.submit(InferenceRequest(inputs: ["x": try TestModels.tensor([1, 2, 3], [1, 3])]))
        try bench.submit(bench.request([3, 4]))
        // Nobody's items: it has none.
        try bench.submit(InferenceRequest(inputs: ["x": try TestModels.tensor([], [0, 2])]))
        gate.open()
        #expect(bench.outcomes.errors(5).map { $0?.status } == [nil, nil, nil, 400, nil])
        #expect(try sizes(bench) == [0: 1, 1: 1, 2: 1])
    }

    @Test func `only the request that makes a batch fail is told so`() throws {
        let bench = try SchedulerBench(loader: TestModels.remainderLoader)
        let gate = Gate()
        let request = { (a: [Int32], b: [Int32]) in
            InferenceRequest(inputs: ["a": Tensor(a), "b": Tensor(b)])
        }
        var first = request([1], [1])
        first.isAbandoned = {
            gate.pass()
            return false
        }
        try bench.submit(first)
        gate.waitUntilEntered()
        try bench.submit(request([7, 8], [4, 3]))
        try bench.submit(request([7], [0]))
        try bench.submit(request([9], [5]))
        // Not as many items in both: joined with others, they would get each other's.
        try bench.submit(request([5, 6], [4]))
        gate.open()
        let outcomes = bench.outcomes.wait(5)
        let results = try outcomes.map { outcome -> [Int32]? in
            guard case .success(let run) = outcome else { return nil }
            return try run.outputs["r"]?.elements(as: Int32.self)
        }
        #expect(results == [[0], [3, 2], nil, [4], nil])
    }

    @Test func `a model's own description goes before the server's settings`() throws {
        let folder = TemporaryFolder()
        folder.write("2", to: "m/1/model.onnx")
        folder.write(#"{"batching":{"maxBatchSize":3}}"#, to: "m/model.json")
        let model = try TestModels.loaded(folder).model(named: "m").resolve(nil)
        let scheduler = InferenceScheduler(
            .init(batching: BatchPolicy(maximumItemCount: 5, queueDelayMicroseconds: 7)), clock: .system)
        defer { scheduler.stop() }
        #expect(
            scheduler.batching(of: model) == BatchPolicy(maximumItemCount: 3, queueDelayMicroseconds: 7))
    }

    @Test func `a delay holds requests back until the batch is full or the time has passed`() throws {
        let bench = try bench(maximum: 3, delayMicroseconds: 5_000)
        for _ in 0..<3 { try bench.submit(bench.request()) }
        #expect(bench.outcomes.errors(3) == [nil, nil, nil])
        #expect(try sizes(bench) == [3: 1])
        for _ in 0..<2 { try bench.submit(bench.request()) }
        bench.time.advance(milliseconds: 4)
        #expect(bench.scheduler.pendingCount(of: try bench.model()) == 2)
        bench.time.advance(milliseconds: 1)
        #expect(bench.outcomes.errors(5) == Array(repeating: nil, count: 5))
        #expect(try sizes(bench) == [2: 1, 3: 1])
    }

    @Test func `a model that may mix items runs one request at a time`() throws {
        let bench = try SchedulerBench(loader: TestModels.meanLoader)
        #expect(try bench.model().executable.batchObstacle != nil)
        let gate = try bench.block()
        for _ in 0..<3 { try bench.submit(bench.request([1, 2, 3, 4])) }
        gate.open()
        let outcomes = try bench.outcomes.wait(4).dropFirst().map { try $0.get() }
        for outcome in outcomes {
            #expect(try outcome.outputs["y"]?.elements(as: Float.self) == [-1, -1, 1, 1])
        }
        #expect(try sizes(bench) == [1: 1, 2: 3])
    }
}
