import Glibc
import Graph

/// The model formats that foldserve reads, and where a model's file is.
package struct FormatCatalog: Sendable {
    package let formats: [any ModelFormat]

    package init(_ formats: [any ModelFormat]) { self.formats = formats }

    package static let standard = FormatCatalog([
        ONNXFormat(), KerasFormat(), KerasHDF5Format(), PyTorchFormat(),
    ])

    /// What a folder of TensorFlow's own format holds.
    private static let savedModel = "saved_model.pb"

    /// Reads the model at `path`: a model file, a version's folder in a repository, or a model's folder, of which it
    /// takes the highest version.
    package func load(path: String) throws(ModelError) -> Graph {
        let (file, format) = try locate(path)
        return try format.load(path: file)
    }

    /// The model file that `path` stands for, and its format.
    package func locate(_ path: String) throws(ModelError) -> (path: String, format: any ModelFormat) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .file(path: path, reason: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            if let name = Self.extension(path), PyTorchFormat.isOther(extension: name) {
                throw .file(path: path, reason: PyTorchFormat.advice)
            }
            guard let format = formats.first(where: { Self.extension(path) == Self.extension($0.fileName) })
            else { throw .unknownFormat(path: path, known: formats.map(\.fileName)) }
            return (path, format)
        }
        if let found = modelFile(in: path) { return found }
        guard access(path + "/" + Self.savedModel, F_OK) != 0 else {
            throw .file(
                path: path,
                reason:
                    "a SavedModel of TensorFlow is not read: write one file with model.save('model.keras')")
        }
        guard let version = Self.versions(in: path).last else {
            throw .file(
                path: path,
                reason:
                    "holds neither \(formats.map(\.fileName).joined(separator: " nor ")) nor a version's folder"
            )
        }
        guard let found = modelFile(in: path + "/" + version) else {
            throw .file(
                path: path + "/" + version,
                reason: "does not hold \(formats.map(\.fileName).joined(separator: " or "))")
        }
        return found
    }

    /// The names of the version folders in a model's folder, `[1-9][0-9]*`, lowest first.
    package static func versions(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var versions: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
            if name.utf8.allSatisfy(digits.contains), !name.hasPrefix("0") { versions.append(name) }
        }
        // Without leading zeros, the longer of two numbers is the greater: no version overflows.
        return versions.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
    }

    private func modelFile(in folder: String) -> (path: String, format: any ModelFormat)? {
        for format in formats where access(folder + "/" + format.fileName, F_OK) == 0 {
            return (folder + "/" + format.fileName, format)
        }
        return nil
    }

    private static func `extension`(_ path: String) -> Substring? {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: ".") else { return nil }
        return name[dot...]
    }
}
