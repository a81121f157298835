import Execution
import Folding
import Graph
import ModelFormats
import Tensors

/// A model as the commands use it: the graph of the file and what runs.
struct LoadedModel {
    let path: String
    let original: Graph
    /// `nil` when folding was turned off.
    let fold: FoldResult?

    init(path: String, fold: Bool) throws {
        self.path = path
        original = try FormatCatalog.standard.load(path: path)
        do {
            self.fold = fold ? try FoldPipeline.standard.run(original) : nil
        } catch {
            throw ModelError.graph(path: path, error)
        }
    }

    var graph: Graph { fold?.graph ?? original }

    func makeExecutable() throws -> Executable {
        do {
            return try Executable(graph)
        } catch {
            throw CommandFailure.data("\(path): \(error)")
        }
    }
}
