import ModelServing
import Synchronization
import Tensors
import Testing

@Suite struct InferenceSchedulerTests {
    private func alone(_ count: Int = 1) -> InferenceScheduler.Configuration {
        .init(runLimit: count, workerCount: count, batching: BatchPolicy(maximumItemCount: 1))
    }

    @Test func `runs a request on a worker and counts items and executions`() throws {
        let bench = try SchedulerBench(.init(runLimit: 2, workerCount: 2))
        try bench.submit(bench.request([1, 2, 3, 4]))
        let outcome = try bench.outcomes.wait(1)[0].get()
        #expect(try outcome.outputs["y"]?.elements(as: Float.self) == [3, 5, 7, 9])
        #expect(outcome.batchItemCount == 2)
        let statistics = try bench.model().statistics
        #expect(statistics.successCount.load(ordering: .relaxed) == 1)
        #expect(statistics.inferenceCount.load(ordering: .relaxed) == 2)
        #expect(statistics.executionCount.load(ordering: .relaxed) == 1)
    }

    @Test func `refuses one request past the queue's limit and none before`() throws {
        let bench = try SchedulerBench(.init(queueLimit: 3))
        let gate = try bench.block()
        for _ in 0..<3 {
            try bench.scheduler.checkRoom(for: try bench.model())
            try bench.submit(bench.request())
        }
        #expect(bench.scheduler.pendingCount(of: try bench.model()) == 3)
        let error = #expect(throws: ServingError.self) { try bench.submit(bench.request()) }
        #expect(error?.description == "model 'm' is overloaded: its queue holds 3 requests")
        let early = #expect(throws: ServingError.self) {
            try bench.scheduler.checkRoom(for: try bench.model())
        }
        #expect(early == error)
        #expect(error?.retryMilliseconds == 1)
        gate.open()
        #expect(bench.outcomes.errors(4) == [nil, nil, nil, nil])
        #expect(bench.scheduler.pendingCount(of: try bench.model()) == 0)
    }

    @Test func `refuses one request past the limit of all queues`() throws {
        let bench = try SchedulerBench(.init(totalQueueLimit: 2), names: ["m", "n"])
        let gate = try bench.block()
        try bench.submit(bench.request())
        try bench.submit(bench.request(), to: "n")
        let error = #expect(throws: ServingError.self) { try bench.submit(bench.request(), to: "n") }
        #expect(error?.description == "model 'n' is overloaded: the server's queues hold 2 requests")
        gate.open()
        #expect(bench.outcomes.wait(3).count == 3)
    }

    @Test func `drops what comes too late or has no client, while it still waits`() throws {
        let bench = try SchedulerBench(.init(queueLimit: 2))
        let gate = try bench.block()
        var late = try bench.request()
        late.timeoutMicroseconds = 1000
        try bench.submit(late, as: "late")
        let flag = Flag()
        var gone = try bench.request()
        gone.isAbandoned = { flag.isSet }
        try bench.submit(gone, as: "gone")
        bench.time.advance(milliseconds: 1)
        #expect(bench.scheduler.pendingCount(of: try bench.model()) == 2)
        bench.time.advance(milliseconds: 1)
        #expect(bench.outcomes.errors(1) == [.timedOut(model: "m")])
        flag.set()
        #expect(bench.outcomes.errors(2) == [.timedOut(model: "m"), .abandoned])
        // Their places are free, and the run is still under way.
        #expect(try bench.comesToHold(0))
        for _ in 0..<2 { try bench.submit(bench.request()) }
        gate.open()
        #expect(bench.outcomes.names(3) == ["late", "gone", "gate"])
    }

    @Test func `a network that cannot run for its inputs is the caller's mistake`() throws {
        let bench = try SchedulerBench()
        let bad = InferenceRequest(inputs: ["x": try TestModels.tensor([1, 2, 3], [1, 3])])
        try bench.submit(bad)
        #expect(bench.outcomes.errors(1)[0]?.status == 400)
        #expect(try bench.model().statistics.failureCount(.backend) == 1)
    }

    @Test func `models get equal time, so that neither a long queue nor long runs starve another`() throws {
        let bench = try SchedulerBench(alone(), names: ["m", "slow", "fast"])
        let gate = try bench.block()
        let time = bench.time
        for _ in 0..<4 {
            for (name, milliseconds, count) in [("slow", UInt64(10), 1), ("fast", UInt64(1), 10)] {
                for _ in 0..<count {
                    var request = try bench.request()
                    request.isAbandoned = {
                        time.spend(milliseconds: milliseconds)
                        return false
                    }
                    try bench.submit(request, to: name, as: name)
                }
            }
        }
        gate.open()
        let names = bench.outcomes.names(45).dropFirst()
        let positions = names.indices.filter { names[$0] == "slow" }
        // Ten fast runs take what a slow one does.
        for (earlier, later) in zip(positions, positions.dropFirst()) {
            #expect((10...12).contains(later - earlier), "\(names)")
        }
    }

    @Test func `higher priorities go first, and the oldest is not left behind for ever`() throws {
        let bench = try SchedulerBench(alone())
        let gate = try bench.block()
        for (priority, name) in [(9, "low"), (0, "default"), (2, "two"), (1, "high")] {
            var request = try bench.request()
            request.priority = priority
            try bench.submit(request, as: name)
            bench.time.advance(milliseconds: 1)
        }
        for _ in 0..<8 {
            var request = try bench.request()
            request.priority = 1
            try bench.submit(request, as: "high")
        }
        gate.open()
        let names = Array(bench.outcomes.names(13).dropFirst())
        // Every fourth turn is the oldest's; the gate's was the first.
        let expected = [
            "high", "high", "low", "high", "high", "high", "default", "high", "high", "high", "two", "high",
        ]
        #expect(names == expected)
    }

    @Test func `refuses what cannot be in time by what runs took`() throws {
        let bench = try SchedulerBench(
            .init(maximumWaitNanoseconds: 60_000_000, batching: BatchPolicy(maximumItemCount: 1)))
        try bench.measure(milliseconds: 10)
        let gate = try bench.block()
        for _ in 0..<3 { try bench.submit(bench.request()) }
        // 10 ms of the run under way and 30 ms of those that wait.
        var hasty = try bench.request()
        hasty.timeoutMicroseconds = 39_000
        let error = #expect(throws: ServingError.self) { try bench.submit(hasty) }
        #expect(error?.status == 503 && error?.retryMilliseconds == 41)
        hasty.timeoutMicroseconds = 40_000
        try bench.submit(hasty)
        // One of high priority passes by the others.
        hasty.timeoutMicroseconds = 10_000
        hasty.priority = 1
        try bench.submit(hasty)
        try bench.submit(bench.request())
        let late = #expect(throws: ServingError.self) { try bench.submit(bench.request()) }
        #expect(
            late?.description
                == "model 'm' is overloaded: a request would wait about 70 ms, at most 60 ms are "
                + "allowed")
        gate.open()
        #expect(bench.outcomes.wait(7).count == 7)
    }

    @Test func `stopping finishes what was taken and refuses what comes later`() throws {
        let bench = try SchedulerBench(alone(2))
        for _ in 0..<20 { try bench.submit(bench.request()) }
        bench.scheduler.stop()
        #expect(bench.outcomes.errors(20) == Array(repeating: nil, count: 20))
        #expect(throws: ServingError.stopping) { try bench.submit(bench.request()) }
    }
}

/// A flag that other threads read.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}
