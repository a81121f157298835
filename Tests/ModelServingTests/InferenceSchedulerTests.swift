import ModelServing
import Synchronization
import Tensors
import Testing
import Threads

@Suite struct InferenceSchedulerTests {
    private let folder = TemporaryFolder()

    private func model() throws -> LoadedModel {
        folder.write("2", to: "m/1/model.onnx")
        return try TestModels.loaded(folder).model(named: "m").resolve(nil)
    }

    /// Holds outcomes and lets a test wait for them.
    private final class Outcomes: Sendable {
        private let results = Lock<[Result<[String: Tensor], ServingError>]>([])

        func add(_ result: Result<[String: Tensor], ServingError>) {
            results.withLock { $0.append(result) }
            results.notifyAll()
        }

        func wait(_ count: Int) -> [Result<[String: Tensor], ServingError>] {
            results.wait { $0.count >= count ? $0 : nil }
        }
    }

    /// Blocks a worker until it is opened.
    private final class Gate: Sendable {
        private let state = Lock((entered: false, open: false))

        func pass() {
            state.withLock { $0.entered = true }
            state.notifyAll()
            _ = state.wait { $0.open ? true : nil }
        }

        func waitUntilEntered() { _ = state.wait { $0.entered ? true : nil } }

        func open() {
            state.withLock { $0.open = true }
            state.notifyAll()
        }
    }

    private func request(_ values: [Float] = [1, 2], gate: Gate? = nil) throws -> InferenceRequest {
        InferenceRequest(inputs: ["x": try TestModels.tensor(values, [values.count / 2, 2])]) {
            gate?.pass()
            return false
        }
    }

    @Test func `runs a request on a worker and counts items and executions`() throws {
        let model = try model()
        let scheduler = InferenceScheduler(.init(workerCount: 2), clock: .system)
        let outcomes = Outcomes()
        try scheduler.submit(request([1, 2, 3, 4]), to: model) { outcomes.add($0) }
        let outputs = try outcomes.wait(1)[0].get()
        #expect(try outputs["y"]?.elements(as: Float.self) == [3, 5, 7, 9])
        scheduler.stop()
        #expect(model.statistics.successCount.load(ordering: .relaxed) == 1)
        #expect(model.statistics.inferenceCount.load(ordering: .relaxed) == 2)
        #expect(model.statistics.executionCount.load(ordering: .relaxed) == 1)
    }

    @Test func `refuses one request past the queue's limit and none before`() throws {
        let model = try model()
        let scheduler = InferenceScheduler(.init(workerCount: 1, queueLimit: 3), clock: .system)
        let outcomes = Outcomes()
        let gate = Gate()
        try scheduler.submit(request(gate: gate), to: model) { outcomes.add($0) }
        gate.waitUntilEntered()
        for _ in 0..<3 { try scheduler.submit(request(), to: model) { outcomes.add($0) } }
        #expect(scheduler.pendingCount(of: model) == 3)
        #expect(throws: ServingError.overloaded(model: "m", queueLimit: 3)) {
            try scheduler.submit(request(), to: model) { outcomes.add($0) }
        }
        gate.open()
        #expect(outcomes.wait(4).count == 4)
        scheduler.stop()
        #expect(scheduler.pendingCount(of: model) == 0)
    }

    @Test func `drops requests whose timeout has passed or whose client has gone`() throws {
        let model = try model()
        let scheduler = InferenceScheduler(.init(), clock: .system)
        let outcomes = Outcomes()
        let gate = Gate()
        try scheduler.submit(request(gate: gate), to: model) { outcomes.add($0) }
        gate.waitUntilEntered()
        var late = try request()
        late.timeoutMicroseconds = 1
        try scheduler.submit(late, to: model) { outcomes.add($0) }
        var gone = try request()
        gone.isAbandoned = { true }
        try scheduler.submit(gone, to: model) { outcomes.add($0) }
        let start = MonotonicClock.system.nanoseconds()
        while MonotonicClock.system.nanoseconds() - start < 1_000_000 {}
        gate.open()
        let errors = outcomes.wait(3).map { result -> ServingError? in
            if case .failure(let error) = result { error } else { nil }
        }
        #expect(errors == [nil, .timedOut(model: "m"), .abandoned])
        scheduler.stop()
    }

    @Test func `a network that cannot run for its inputs is the caller's mistake`() throws {
        let model = try model()
        let scheduler = InferenceScheduler(.init(), clock: .system)
        let outcomes = Outcomes()
        let bad = InferenceRequest(inputs: ["x": try TestModels.tensor([1, 2, 3], [1, 3])])
        try scheduler.submit(bad, to: model) { outcomes.add($0) }
        guard case .failure(let error) = outcomes.wait(1)[0] else {
            Issue.record("a wrong shape ran")
            return
        }
        #expect(error.status == 400)
        scheduler.stop()
        #expect(model.statistics.failureCount == 1 && model.statistics.failureCount(.backend) == 1)
    }

    @Test func `takes the models in turn, so that a long queue does not starve another model`() throws {
        folder.write("2", to: "m/1/model.onnx")
        folder.write("2", to: "n/1/model.onnx")
        let repository = try TestModels.loaded(folder)
        let (m, n) = (
            try repository.model(named: "m").resolve(nil), try repository.model(named: "n").resolve(nil)
        )
        let scheduler = InferenceScheduler(.init(), clock: .system)
        let order = Lock<[String]>([])
        let gate = Gate()
        try scheduler.submit(request(gate: gate), to: m) { _ in }
        gate.waitUntilEntered()
        for _ in 0..<3 { try scheduler.submit(request(), to: m) { _ in order.withLock { $0.append("m") } } }
        try scheduler.submit(request(), to: n) { _ in order.withLock { $0.append("n") } }
        gate.open()
        scheduler.stop()
        #expect(order.withLock { $0 } == ["m", "n", "m", "m"])
    }

    @Test func `stopping finishes what was taken and refuses what comes later`() throws {
        let model = try model()
        let scheduler = InferenceScheduler(.init(), clock: .system)
        let outcomes = Outcomes()
        for _ in 0..<20 { try scheduler.submit(request(), to: model) { outcomes.add($0) } }
        scheduler.stop()
        #expect(outcomes.wait(20).count == 20)
        #expect(throws: ServingError.stopping) { try scheduler.submit(request(), to: model) { _ in } }
    }
}
