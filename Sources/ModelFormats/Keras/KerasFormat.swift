import Graph
import Tensors

/// Keras 3's own files, also as Keras 2.12 and later wrote them: a ZIP archive of the configuration and the weights.
///
/// Weights that are used as they are stay in the mapped file.
package struct KerasFormat: ModelFormat {
    package let name = "Keras"
    package let fileName = "model.keras"

    private static let configName = "config.json"
    private static let metadataName = "metadata.json"
    private static let weightsName = "model.weights.h5"

    package init() {}

    package func load(path: String) throws(ModelError) -> Graph {
        try Self.read(Self.map(path))
    }

    static func read(_ file: MappedFile) throws(ModelError) -> Graph {
        // Keras before 2.12 wrote HDF5 under this name too.
        if HDF5File.hasSignature(file) { return try KerasHDF5Format.read(file) }
        let path = file.path
        let archive = try ZipArchive(file)
        let config = try json(configName, archive)
        let version = archive[metadataName] == nil ? JSON.null : try json(metadataName, archive)
        do throws(KerasRefusal) {
            let weights = KerasWeights(store: try root(archive, path))
            let isKeras2 = version["keras_version"]?.string?.hasPrefix("2.") ?? false
            return try KerasModelReader.graph(of: config, weights: weights, isKeras2: isKeras2)
        } catch {
            throw error.error(path: path)
        }
    }

    private static func json(_ name: String, _ archive: ZipArchive) throws(ModelError) -> JSON {
        let path = archive.file.path
        guard let member = archive[name] else {
            throw .file(path: path, reason: "not a Keras model: the archive has no '\(name)'")
        }
        let bytes = try archive.contents(of: member, maximumByteCount: KerasLimits.maximumConfigByteCount)
        do {
            return try JSONParser.parse(bytes)
        } catch {
            throw .file(
                path: path, reason: "'\(name)' is not readable: \(error.reason)", byteOffset: error.byteOffset
            )
        }
    }

    private static func root(_ archive: ZipArchive, _ path: String) throws(KerasRefusal) -> HDF5Object {
        guard let member = archive[Self.weightsName] else {
            throw KerasRefusal("not a Keras model: the archive has no '\(Self.weightsName)'")
        }
        let storage: Storage
        let range: Range<Int>
        if member.isDeflated {
            let bytes: [UInt8]
            do {
                bytes = try archive.contents(
                    of: member, maximumByteCount: KerasLimits.maximumCompressedWeightByteCount)
            } catch {
                throw KerasRefusal("'\(Self.weightsName)' cannot be expanded")
            }
            storage = Storage(byteCount: bytes.count) { memory in
                bytes.withUnsafeBytes { memory.copyMemory(from: $0) }
            }
            range = 0..<bytes.count
        } else {
            (storage, range) = (archive.file.storage, member.range)
        }
        do throws(HDF5Error) {
            return try HDF5File(storage, range: range).root
        } catch {
            throw KerasRefusal(error)
        }
    }
}

/// The HDF5 files of Keras 2, which Keras 3 writes too: the configuration is an attribute.
package struct KerasHDF5Format: ModelFormat {
    package let name = "Keras HDF5"
    package let fileName = "model.h5"

    private static let weights = "model_weights"

    package init() {}

    package func load(path: String) throws(ModelError) -> Graph {
        let file = try Self.map(path)
        return ZipArchive.hasSignature(file) ? try KerasFormat.read(file) : try Self.read(file)
    }

    static func read(_ file: MappedFile) throws(ModelError) -> Graph {
        do throws(KerasRefusal) {
            let (config, weights, isKeras2) = try contents(file)
            return try KerasModelReader.graph(of: config, weights: weights, isKeras2: isKeras2)
        } catch {
            throw error.error(path: file.path)
        }
    }

    private static func contents(_ file: MappedFile) throws(KerasRefusal) -> (
        JSON, KerasWeights, isKeras2: Bool
    ) {
        let text: String
        let weights: KerasWeights
        let version: String?
        do throws(HDF5Error) {
            let root = try HDF5File(file.storage, range: 0..<file.bytes.count).root
            guard let config = try root.strings("model_config")?.first,
                let group = try root.object(at: Self.weights)
            else {
                throw HDF5Error(
                    reason: "the file has no model_config: it holds weights alone; "
                        + "save the whole model with model.save")
            }
            (text, weights) = (config, KerasWeights(legacy: group))
            version = try root.strings("keras_version")?.first
        } catch {
            throw KerasRefusal(error)
        }
        do {
            // Files that do not state a version are older still.
            return (try JSONParser.parse(Array(text.utf8)), weights, version?.hasPrefix("3.") != true)
        } catch {
            throw KerasRefusal("model_config is not readable: \(error.reason)")
        }
    }
}
