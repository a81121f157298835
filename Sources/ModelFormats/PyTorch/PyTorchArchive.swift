import Tensors

/// The members of a `.pt2` file: `models/model.json`, and under `data/` the weights and constants with lists of them.
struct PyTorchArchive {
    let zip: ZipArchive
    /// The folder that everything is in, with its slash.
    let root: String

    private static let model = "models/model.json"

    var path: String { zip.file.path }

    init(_ file: MappedFile) throws(ModelError) {
        do throws(ModelError) {
            zip = try ZipArchive(file)
        } catch {
            // Checkpoints were bare pickles once.
            guard file.bytes.first == Self.pickleProtocol else { throw error }
            throw .file(path: file.path, reason: "a pickle; " + PyTorchFormat.advice)
        }
        let roots = zip.members.map(\.name).filter { $0 == Self.model || $0.hasSuffix("/" + Self.model) }
        guard roots.count == 1 else { throw Self.refusal(zip) }
        root = String(roots[0].dropLast(Self.model.utf8.count))
        if let order = zip[root + "byteorder"] {
            let bytes = try zip.contents(of: order, maximumByteCount: Self.maximumMarkByteCount)
            guard bytes == Array("little".utf8) else {
                throw .file(path: file.path, reason: "its weights are not little-endian")
            }
        }
    }

    private static let pickleProtocol: UInt8 = 0x80
    private static let maximumMarkByteCount = 64

    /// What the archive is instead.
    private static func refusal(_ zip: ZipArchive) -> ModelError {
        let names = zip.members.map(\.name)
        let reason =
            if names.contains(where: { $0.hasSuffix("serialized_exported_program.json") }) {
                "an exported program of PyTorch before 2.8, whose weights are pickled; save it again"
            } else if names.contains(where: { $0.hasSuffix("constants.pkl") }) {
                "a TorchScript file; " + PyTorchFormat.advice
            } else if names.contains(where: { $0.hasSuffix("data.pkl") }) {
                "a PyTorch checkpoint, which holds weights and no graph; " + PyTorchFormat.advice
            } else {
                "not a PyTorch exported program: it holds no \(model)"
            }
        return .file(path: zip.file.path, reason: reason)
    }

    /// The JSON member at `name` below the root; `nil` when it is not there.
    func json(_ name: String) throws(ModelError) -> JSON? {
        guard let member = zip[root + name] else { return nil }
        let bytes = try zip.contents(of: member, maximumByteCount: PyTorchLimits.maximumJSONByteCount)
        do {
            return try JSONParser.parse(bytes)
        } catch {
            throw .file(
                path: path, reason: "\(name) is not readable: \(error.reason)", byteOffset: error.byteOffset)
        }
    }

    func model() throws(ModelError) -> JSON {
        guard let model = try json(Self.model) else { throw Self.refusal(zip) }
        return model
    }
}
