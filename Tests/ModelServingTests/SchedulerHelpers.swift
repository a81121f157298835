import Execution
import FoundationEssentials
import Glibc
import Graph
import ModelFormats
import ModelServing
import Tensors
import TestSupport
import Threads

/// Holds outcomes in the order in which they came, and lets a test wait for them.
final class Outcomes: Sendable {
    typealias Outcome = Result<InferenceOutcome, ServingError>

    private let results = Lock<[(name: String, outcome: Outcome)]>([])

    func add(_ outcome: Outcome, _ name: String = "") {
        results.withLock { $0.append((name, outcome)) }
        results.notifyAll()
    }

    /// The first so many, once they are there.
    func wait(_ count: Int) -> [Outcome] { entries(count).map(\.outcome) }

    func names(_ count: Int) -> [String] { entries(count).map(\.name) }

    func errors(_ count: Int) -> [ServingError?] {
        wait(count).map { if case .failure(let error) = $0 { error } else { nil } }
    }

    private func entries(_ count: Int) -> [(name: String, outcome: Outcome)] {
        results.wait { $0.count >= count ? Array($0[..<count]) : nil }
    }
}

/// Whether this is a thread that computes: others ask waiting requests too whether they are still wanted.
private func isOnWorker() -> Bool {
    let name = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
    return name?.hasPrefix("infer-") == true
}

/// Blocks a worker until it is opened.
final class Gate: Sendable {
    private let state = Lock((entered: false, open: false))

    func pass() {
        guard isOnWorker() else { return }
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

/// Stands still until a test moves it.
final class FakeClock: Sendable {
    private let now = Lock<UInt64>(1_000_000_000)

    var clock: MonotonicClock {
        MonotonicClock(nanoseconds: { [self] in now.withLock { $0 } }, wallMilliseconds: { 0 })
    }

    func advance(milliseconds: UInt64) { now.withLock { $0 += milliseconds * 1_000_000 } }

    /// What a request's `isAbandoned` calls to make its run last so long: only when a worker is about to compute it.
    func spend(milliseconds: UInt64) {
        if isOnWorker() { advance(milliseconds: milliseconds) }
    }
}

/// A scheduler over the models of `TestModels`, with its outcomes.
final class SchedulerBench {
    let folder = TemporaryFolder()
    let time = FakeClock()
    let outcomes = Outcomes()
    let scheduler: InferenceScheduler
    private let models: ModelRepository

    /// `names`: of the models; each doubles and adds 1.
    init(
        _ configuration: InferenceScheduler.Configuration = .init(), names: [String] = ["m"],
        loader: ModelLoader = TestModels.loader
    ) throws {
        for name in names { folder.write("2", to: "\(name)/1/model.onnx") }
        models = try TestModels.loaded(folder, loader: loader)
        scheduler = InferenceScheduler(configuration, clock: time.clock)
    }

    deinit { scheduler.stop() }

    func model(_ name: String = "m") throws -> LoadedModel { try models.model(named: name).resolve(nil) }

    func request(_ values: [Float] = [1, 2], gate: Gate? = nil) throws -> InferenceRequest {
        InferenceRequest(inputs: ["x": try TestModels.tensor(values, [values.count / 2, 2])]) {
            gate?.pass()
            return false
        }
    }

    func submit(_ request: InferenceRequest, to model: String = "m", as name: String = "") throws {
        let outcomes = outcomes
        try scheduler.submit(request, to: try self.model(model)) { outcomes.add($0, name) }
    }

    /// Keeps the only run busy until the gate is opened; its outcome is the first one of `m`'s.
    func block() throws -> Gate {
        let gate = Gate()
        try submit(request(gate: gate), as: "gate")
        gate.waitUntilEntered()
        return gate
    }

    /// Lets the model's estimate be so many milliseconds an item.
    func measure(milliseconds: UInt64, model: String = "m") throws {
        let done = Outcomes()
        let time = time
        var request = try request()
        request.isAbandoned = {
            time.spend(milliseconds: milliseconds)
            return false
        }
        try scheduler.submit(request, to: try self.model(model)) { done.add($0) }
        _ = done.wait(1)
    }

    /// Whether so many requests wait and none of them begins, as far as a short while shows.
    func keepsHolding(_ count: Int, model: String = "m") throws -> Bool {
        usleep(50_000)
        return scheduler.pendingCount(of: try self.model(model)) == count
    }

    /// Whether so many requests come to wait.
    func comesToHold(_ count: Int, model: String = "m") throws -> Bool {
        let model = try self.model(model)
        for _ in 0..<20_000 where scheduler.pendingCount(of: model) != count { usleep(1000) }
        return scheduler.pendingCount(of: model) == count
    }
}

extension TestModels {
    /// r = a mod b over [N] int32: a divisor of 0 is an error that only its own request may get.
    static let remainderLoader = ModelLoader(
        fileNames: ["model.onnx"], workers: WorkerPool(threadCount: 1), clock: .system
    ) { (folder) throws(ModelError) in
        do throws(GraphError) {
            let ports = ["a", "b"].map { name in
                Graph.Port(name: name, info: ValueInfo(.int32, [.symbol("N")]))
            }
            let node = try Node(name: "mod", type: "Mod", opset: 17, inputs: ["a", "b"], outputs: ["r"])
            let graph = try Graph(
                name: "test", opset: 17, inputs: ports,
                outputs: [.init(name: "r", info: ValueInfo(nil, nil))], constants: [:], nodes: [node])
            return (graph, "test_onnx")
        } catch {
            throw .graph(path: folder, error)
        }
    }
}

extension TestModels {
    /// y = x − the batch's mean over [N, 2].
    static let meanLoader = ModelLoader(
        fileNames: ["model.onnx"], workers: WorkerPool(threadCount: 1), clock: .system
    ) { (folder) throws(ModelError) in
        do throws(GraphError) {
            let mean = try Node(
                name: "mean", type: "ReduceMean", attributes: ["axes": .integers([0])], opset: 17,
                inputs: ["x"], outputs: ["m"])
            let difference = try Node(
                name: "difference", type: "Sub", opset: 17, inputs: ["x", "m"], outputs: ["y"])
            let graph = try Graph(
                name: "test", opset: 17,
                inputs: [.init(name: "x", info: ValueInfo(.float32, [.symbol("N"), .known(2)]))],
                outputs: [.init(name: "y", info: ValueInfo(nil, nil))], constants: [:],
                nodes: [mean, difference])
            return (graph, "test_onnx")
        } catch {
            throw .graph(path: folder, error)
        }
    }
}
