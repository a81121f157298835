import Execution
import Graph
import Logging
import ModelFormats
import ModelServing
import Tensors
import TestSupport
import Testing

@Suite struct ModelLoaderTests {
    private let folder = TemporaryFolder()

    /// y = x + weight, over [N, 2], or y = x · weight.
    private func reason(weight: Tensor, _ type: String, available: Int? = nil) throws -> String? {
        let loader = ModelLoader(
            fileNames: ["model.onnx"], workers: WorkerPool(threadCount: 1), clock: .system,
            availableMemory: { available }
        ) { (folder) throws(ModelError) in
            do throws(GraphError) {
                let info = ValueInfo(weight.elementType, [.symbol("N"), .known(2)])
                let node = try Node(
                    name: "node", type: type, opset: 17, inputs: ["x", "weight"], outputs: ["y"])
                return (
                    try Graph(
                        name: "test", opset: 17, inputs: [.init(name: "x", info: info)],
                        outputs: [.init(name: "y", info: ValueInfo(weight.elementType, nil))],
                        constants: ["weight": weight], nodes: [node]), "test"
                )
            } catch {
                throw .graph(path: folder, error)
            }
        }
        let repository = try ModelRepository(
            folder: folder.path, loader: loader,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        repository.start()
        repository.waitUntilLoaded()
        return try repository.model(named: "m").state(of: "1")?.reason
    }

    private func matrix(_ values: [Float]) throws -> Tensor { try TestModels.tensor(values, [2, 2]) }

    @Test(arguments: [Float.nan, .infinity, -.infinity, -.nan])
    func `a weight that is no number is refused by its name`(_ value: Float) throws {
        folder.write("", to: "m/1/model.onnx")
        let reason = try reason(weight: matrix([1, 2, 3, value]), "MatMul")
        #expect(reason == "weight 'weight' is not finite at element 3")
    }

    @Test func `a mask may hold infinities, and no NaN`() throws {
        folder.write("", to: "m/1/model.onnx")
        #expect(try reason(weight: TestModels.tensor([0, -.infinity], [2]), "Add") == nil)
        let refused = try reason(weight: TestModels.tensor([0, .nan], [2]), "Add")
        #expect(refused == "weight 'weight' is not finite at element 1")
    }

    @Test func `half and double precision are looked at too, and the largest numbers are finite`() throws {
        folder.write("", to: "m/1/model.onnx")
        #expect(
            try reason(weight: Tensor([1, .nan] as [Double], shape: Shape([2])), "Add")
                == "weight 'weight' is not finite at element 1")
        #expect(
            try reason(weight: Tensor([.nan, 1] as [Float16], shape: Shape([2])), "Add")
                == "weight 'weight' is not finite at element 0")
        let largest = try matrix([.greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0, -0.0])
        #expect(try reason(weight: largest, "MatMul") == nil)
    }

    @Test func `golden vectors that a network reproduces speak for its weights`() throws {
        folder.write("", to: "m/1/model.onnx")
        folder.write(try TestModels.tensor([1, 2], [1, 2]), to: "m/1/golden/x.npy")
        folder.write(try TestModels.tensor([1, .nan], [1, 2]), to: "m/1/golden/y.npy")
        #expect(try reason(weight: TestModels.tensor([0, .nan], [2]), "Add") == nil)
        let other = try reason(weight: TestModels.tensor([.nan, 0], [2]), "Add")
        #expect(other?.hasPrefix("golden check failed: output 'y' element 0 is nan") == true)
    }

    @Test func `a model larger than the memory that is left is refused before it is read`() throws {
        folder.write(String(repeating: "x", count: 4 << 20), to: "m/1/model.onnx")
        let reason = { (available: Int?) in
            try self.reason(weight: self.matrix([1, 2, 3, 4]), "MatMul", available: available)
        }
        #expect(try reason(4 << 20) == "needs about 5 MiB of memory, 4 MiB are left")
        #expect(try reason(6 << 20) == nil)
        #expect(try reason(nil) == nil)
    }

    /// y = exp(−x) over [N, 262144], a MiB an item: a batch holds its inputs, what is between, and its outputs.
    private func wideReason(available: Int) throws -> String? {
        let loader = ModelLoader(
            fileNames: ["model.onnx"], workers: WorkerPool(threadCount: 1), clock: .system,
            batching: BatchPolicy(maximumItemCount: 8), availableMemory: { available }
        ) { (folder) throws(ModelError) in
            do throws(GraphError) {
                let info = ValueInfo(.float32, [.symbol("N"), .known(1 << 18)])
                let nodes = [
                    try Node(name: "neg", type: "Neg", opset: 17, inputs: ["x"], outputs: ["h"]),
                    try Node(name: "exp", type: "Exp", opset: 17, inputs: ["h"], outputs: ["y"]),
                ]
                return (
                    try Graph(
                        name: "wide", opset: 17, inputs: [.init(name: "x", info: info)],
                        outputs: [.init(name: "y", info: info)], constants: [:], nodes: nodes), "test"
                )
            } catch {
                throw .graph(path: folder, error)
            }
        }
        return try TestModels.loaded(folder, loader: loader).model(named: "m").state(of: "1")?.reason
    }

    @Test func `memory must suffice for the largest batch that can be formed`() throws {
        folder.write("", to: "m/1/model.onnx")
        #expect(try wideReason(available: 15 << 20)?.hasSuffix("MiB of memory, 15 MiB are left") == true)
        #expect(try wideReason(available: 64 << 20) == nil)
        folder.write(#"{"batching": {"maxBatchSize": 1}}"#, to: "m/model.json")
        #expect(try wideReason(available: 15 << 20) == nil)
        #expect(try wideReason(available: 1 << 20)?.hasSuffix("MiB of memory, 1 MiB are left") == true)
    }
}

@Suite struct MemoryLimitTests {
    private func available(_ files: [String: String]) -> Int? { MemoryLimit.available { files[$0] } }

    @Test func `nothing said is no limit`() { #expect(available([:]) == nil) }

    @Test func `a group of version 2 leaves what it does not use, file pages apart`() {
        var files = [
            "/proc/self/cgroup": "0::/pod/box\n", "/sys/fs/cgroup/pod/box/memory.max": "1000\n",
            "/sys/fs/cgroup/pod/box/memory.current": "700\n",
            "/sys/fs/cgroup/pod/box/memory.stat": "anon 400\ninactive_file 100\nactive_file 50\n",
        ]
        #expect(available(files) == 450)
        files["/sys/fs/cgroup/pod/memory.max"] = "900"
        files["/sys/fs/cgroup/pod/memory.current"] = "800"
        #expect(available(files) == 100)
        files["/proc/meminfo"] = "MemTotal: 9 kB\nMemAvailable:       0 kB\n"
        #expect(available(files) == 0)
    }

    @Test func `inside a container the root is the group`() {
        let files = [
            "/proc/self/cgroup": "0::/somewhere/else\n", "/sys/fs/cgroup/memory.max": "1000\n",
            "/sys/fs/cgroup/memory.current": "1100\n", "/sys/fs/cgroup/memory.stat": "",
        ]
        #expect(available(files) == 0)
    }

    @Test func `a group of version 1`() {
        var files = [
            "/proc/self/cgroup": "4:cpu:/\n5:memory:/box\n",
            "/sys/fs/cgroup/memory/box/memory.limit_in_bytes": "1000",
            "/sys/fs/cgroup/memory/box/memory.usage_in_bytes": "600",
            "/sys/fs/cgroup/memory/box/memory.stat": "total_inactive_file 50\ntotal_active_file 50",
        ]
        #expect(available(files) == 500)
        files["/sys/fs/cgroup/memory/box/memory.limit_in_bytes"] = "9223372036854771712"
        #expect(available(files) == nil)
    }

    @Test(arguments: ["max", "", "-1", "x", "99999999999999999999999"])
    func `no number is no limit`(_ text: String) {
        let files = [
            "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": text,
            "/sys/fs/cgroup/memory.current": "1",
        ]
        #expect(available(files) == nil)
    }

    @Test func `this machine says something`() { #expect((MemoryLimit.available ?? 0) > 0) }
}
