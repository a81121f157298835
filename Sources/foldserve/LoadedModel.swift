import Certification
import Execution
import Folding
import Graph
import ModelFormats
import ModelServing
import Tensors

/// A model as the commands use it: the graph of the file and what runs.
struct LoadedModel {
    let path: String
    let original: Graph
    /// What runs, without its weights once an executable has been made of it.
    private(set) var graph: Graph
    /// `nil` when folding was turned off.
    let report: FoldReport?
    /// The proof of the fold; `nil` when folding was turned off.
    let certificate: Certificate?
    private let progress: ProgressLine

    init(path: String, fold: Bool) throws {
        self.path = path
        let name = Self.displayName(path)
        let progress = ProgressLine("loading \(name)")
        self.progress = progress
        defer { progress.pause() }
        original = try FormatCatalog.standard.load(path: path)
        guard fold else {
            (graph, report, certificate) = (original, nil, nil)
            return
        }
        let total = original.nodes.count { $0.type == "BatchNormalization" }
        progress.show(total == 0 ? "folding \(name)" : "folding \(name): 0/\(total)")
        do {
            let proven = try ProvenFold(original, threadCount: ThreadCount.available) { count in
                progress.show(
                    total == 0
                        ? "folding \(name)" : "folding \(name): \(min(count, total))/\(total)")
            }
            (graph, report, certificate) = (proven.graph, proven.report, proven.certificate)
        } catch {
            throw ModelError.graph(path: path, error)
        }
    }

    /// The graph and the report together, before an executable has been made.
    var fold: FoldResult? { report.map { FoldResult(graph: graph, report: $0) } }

    /// Packs the weights and lets go of them here.
    mutating func makeExecutable(usesWinograd: Bool = true) throws -> Executable {
        progress.show("packing \(Self.displayName(path))")
        defer { progress.pause() }
        let whole = graph
        graph.constants = graph.constants.filter { graph.overridableInputs.contains($0.key) }
        do {
            return try Executable(
                consume whole,
                options: ExecutionOptions(usesWinograd: usesWinograd),
                packing: WorkerPool(threadCount: ThreadCount.available).packing)
        } catch {
            throw CommandFailure.data("\(path): \(error)")
        }
    }

    /// The model's own name: the file's without its ending, or for `name/1/model.onnx` the folder's.
    private static func displayName(_ path: String) -> String {
        var parts = path.split(separator: "/").map(String.init)
        if parts.last?.hasPrefix("model.") == true { parts.removeLast() }
        if let last = parts.last, Int(last) != nil, parts.count > 1 { parts.removeLast() }
        guard let last = parts.last else { return path }
        return last.split(separator: ".").first.map(String.init) ?? last
    }
}
