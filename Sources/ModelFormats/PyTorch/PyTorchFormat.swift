import Graph
import Tensors

/// PyTorch's exported programs, as `torch.export.save` writes them: schema 8, ATen operators.
///
/// Weights stay in the mapped file. Pickled parts, the sample inputs among them, are never opened.
package struct PyTorchFormat: ModelFormat {
    package let name = "PyTorch"
    package let fileName = "model.pt2"

    package init() {}

    package func load(path: String) throws(ModelError) -> Graph {
        let file = try Self.map(path)
        let archive = try PyTorchArchive(file)
        return try PyTorchGraphReader(archive: archive, program: PyTorchProgramReader(archive).read()).read()
    }

    /// What to do with PyTorch's other files, which hold no graph, or hold it as code.
    static let advice =
        "only PyTorch's exported programs are read: write one with torch.export.save(torch.export.export("
        + "model.eval(), (x,), dynamic_shapes=({0: torch.export.Dim('batch')},)), 'model.pt2')"

    /// Whether files with this extension are PyTorch's, and no exported programs.
    static func isOther(extension name: Substring) -> Bool {
        [".pt", ".pth", ".ckpt", ".ptl", ".torchscript"].contains(name)
    }
}
