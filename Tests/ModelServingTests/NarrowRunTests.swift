import Execution
import ModelServing
import Tensors
import TestSupport
import Testing

/// Runs on one thread each, where enough waits for all of them.
@Suite struct NarrowRunTests {
    private func configuration(
        threads: Int = 2, items: Int = 2, maximumWaitMilliseconds: UInt64 = 1 << 40
    ) -> InferenceScheduler.Configuration {
        .init(
            threadCount: threads, workerCount: threads + 1,
            maximumWaitNanoseconds: maximumWaitMilliseconds * 1_000_000,
            batching: BatchPolicy(maximumItemCount: items))
    }

    /// Submits batches of two requests of an item each; a run of any of them stays until its gate is opened.
    private func submitGated(_ bench: SchedulerBench, batchCount: Int, to model: String = "m") throws
        -> [Gate]
    {
        try (0..<batchCount).map { _ in
            let gate = Gate()
            try bench.submit(bench.request(gate: gate), to: model)
            try bench.submit(bench.request(), to: model)
            return gate
        }
    }

    @Test func `a full batch for every thread: each thread computes one, and the rest waits`() throws {
        let bench = try SchedulerBench(configuration())
        let first = try bench.block()
        let gates = try submitGated(bench, batchCount: 4)
        #expect(bench.scheduler.pendingCount(of: try bench.model()) == 8)
        first.open()
        for gate in gates[..<2] { gate.waitUntilEntered() }
        #expect(try bench.keepsHolding(4))
        // Another full batch takes the place of one that has ended.
        gates[0].open()
        gates[2].waitUntilEntered()
        gates[1].open()
        gates[3].waitUntilEntered()
        #expect(try bench.comesToHold(0))
        // What fills no batch waits for the narrow runs' end, and has all threads then.
        try bench.submit(bench.request())
        gates[2].open()
        _ = bench.outcomes.wait(7)
        #expect(try bench.keepsHolding(1))
        gates[3].open()
        #expect(bench.outcomes.errors(10) == Array(repeating: nil, count: 10))
    }

    @Test(arguments: [1, 3])
    func `fewer batches than threads run one after the other`(_ threads: Int) throws {
        let bench = try SchedulerBench(configuration(threads: threads))
        let first = try bench.block()
        let gates = try submitGated(bench, batchCount: 2)
        first.open()
        gates[0].waitUntilEntered()
        #expect(try bench.keepsHolding(2))
        gates[0].open()
        gates[1].waitUntilEntered()
        gates[1].open()
        #expect(bench.outcomes.errors(5) == Array(repeating: nil, count: 5))
    }

    @Test func `large requests are no more runs than there are requests`() throws {
        let bench = try SchedulerBench(configuration())
        let first = try bench.block()
        let gate = Gate()
        try bench.submit(bench.request([Float](repeating: 1, count: 20), gate: gate))
        first.open()
        gate.waitUntilEntered()
        // A wide run: two full batches come beside it and wait.
        let gates = try submitGated(bench, batchCount: 2)
        #expect(try bench.keepsHolding(4))
        gate.open()
        for gate in gates { gate.waitUntilEntered() }
        for gate in gates { gate.open() }
        #expect(bench.outcomes.errors(6) == Array(repeating: nil, count: 6))
    }

    @Test func `models share the threads, and each gets its time`() throws {
        let bench = try SchedulerBench(configuration(), names: ["m", "n"])
        let first = try bench.block()
        let gates = try submitGated(bench, batchCount: 1) + submitGated(bench, batchCount: 1, to: "n")
        first.open()
        for gate in gates { gate.waitUntilEntered() }
        for gate in gates { gate.open() }
        #expect(bench.outcomes.errors(5) == Array(repeating: nil, count: 5))
    }

    @Test func `what a narrow run took counts as if all threads had shared it`() throws {
        let bench = try SchedulerBench(configuration(items: 1, maximumWaitMilliseconds: 60))
        let first = try bench.block()
        let time = bench.time
        var long = try bench.request()
        long.isAbandoned = {
            time.spend(milliseconds: 20)
            return false
        }
        try bench.submit(long)
        let second = Gate()
        try bench.submit(bench.request(gate: second))
        first.open()
        _ = bench.outcomes.wait(2)
        second.open()
        _ = bench.outcomes.wait(3)
        // 10 ms, and an eighth less if the second run has seen none of the first one's time.
        let gate = try bench.block()
        var hasty = try bench.request()
        hasty.timeoutMicroseconds = 1000
        let error = #expect(throws: ServingError.self) { try bench.submit(hasty) }
        #expect((9...11).contains(error?.retryMilliseconds ?? 0), "\(String(describing: error))")
        gate.open()
        #expect(bench.outcomes.errors(4) == Array(repeating: nil, count: 4))
    }

    @Test func `where memory does not suffice for a run on every thread, all share one`() throws {
        let folder = TemporaryFolder()
        func loader(available: Int?) -> ModelLoader {
            ModelLoader(
                fileNames: ["model.onnx"], workers: WorkerPool(threadCount: 2), clock: .system,
                batching: BatchPolicy(maximumItemCount: 2), availableMemory: { available },
                read: TestModels.read)
        }
        folder.write("2", to: "m/1/model.onnx")
        let model = try TestModels.loaded(folder, loader: loader(available: nil)).model(named: "m").resolve(
            nil)
        let runByteCount = try #require(
            try model.executable.runByteCount(["x": Shape([2, 2])], threadCount: 2))
        // The file's single byte counts as one.
        for (spare, isNarrow) in [(0, true), (-1, false)] {
            let bench = try SchedulerBench(
                configuration(), loader: loader(available: 1 + 2 * runByteCount + spare))
            let first = try bench.block()
            let gates = try submitGated(bench, batchCount: 2)
            first.open()
            gates[0].waitUntilEntered()
            if isNarrow { gates[1].waitUntilEntered() }
            #expect(try bench.keepsHolding(isNarrow ? 0 : 2))
            for gate in gates { gate.open() }
            #expect(bench.outcomes.errors(5) == Array(repeating: nil, count: 5))
        }
    }
}
