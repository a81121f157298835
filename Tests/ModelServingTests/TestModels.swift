import Execution
import FoundationEssentials
import Glibc
import Graph
import Logging
import ModelFormats
import ModelServing
import Tensors
import TestSupport

extension TemporaryFolder {
    /// Puts a file in another's place by renaming, so that it is whole at every moment.
    func replace(_ text: String, at name: String) {
        write(text, to: name + ".new")
        rename(path + "/" + name + ".new", path + "/" + name)
    }

    func remove(_ name: String) { try? FileManager.default.removeItem(atPath: path + "/" + name) }

    /// Writes a file, its folders included.
    func write(_ text: String, to name: String) {
        makeFolder(String(name[..<(name.lastIndex(of: "/") ?? name.startIndex)]))
        try! text.write(toFile: path + "/" + name, atomically: false, encoding: .utf8)
    }

    func write(_ tensor: Tensor, to name: String) {
        makeFolder(String(name[..<(name.lastIndex(of: "/") ?? name.startIndex)]))
        try! NPYFile.write(tensor, path: path + "/" + name)
    }

    func makeFolder(_ name: String) {
        try! FileManager.default.createDirectory(
            atPath: path + "/" + name, withIntermediateDirectories: true)
    }
}

enum TestModels {
    /// y = scale·x + 1 over [N, 2]; the model "file" holds the scale.
    static func graph(scale: Double) throws(GraphError) -> Graph {
        let dimensions: [Dimension] = [.symbol("N"), .known(2)]
        let node = try Node(
            name: "affine", domain: Affine.domain, type: Affine.type,
            attributes: Affine.attributes(scale: [scale, scale], shift: [1, 1], axis: 1), opset: 17,
            inputs: ["x"], outputs: ["y"])
        return try Graph(
            name: "test", opset: 17, inputs: [.init(name: "x", info: ValueInfo(.float32, dimensions))],
            outputs: [.init(name: "y", info: ValueInfo(.float32, nil))], constants: [:], nodes: [node])
    }

    /// Reads files that hold nothing but the scale of `graph(scale:)`.
    static let loader = ModelLoader(
        fileNames: ["model.onnx"], workers: WorkerPool(threadCount: 1), clock: .system
    ) { (folder) throws(ModelError) in try read(folder) }

    static func read(_ folder: String) throws(ModelError) -> (graph: Graph, platform: String) {
        let path = folder + "/model.onnx"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), let scale = Double(text) else {
            throw .file(path: path, reason: "damaged\nbeyond repair")
        }
        do throws(GraphError) {
            return (try graph(scale: scale), "test_onnx")
        } catch {
            throw .graph(path: path, error)
        }
    }

    static func repository(
        _ folder: TemporaryFolder, _ configuration: RepositoryConfiguration = RepositoryConfiguration(),
        loader: ModelLoader = TestModels.loader
    ) throws -> ModelRepository {
        try ModelRepository(
            folder: folder.path, loader: loader,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, configuration: configuration)
    }

    static func loaded(
        _ folder: TemporaryFolder, loader: ModelLoader = loader
    ) throws -> ModelRepository {
        let repository = try repository(folder, loader: loader)
        repository.start()
        repository.waitUntilLoaded()
        return repository
    }

    static func tensor(_ values: [Float], _ dimensions: [Int]) throws -> Tensor {
        try Tensor(values, shape: Shape(dimensions))
    }
}
