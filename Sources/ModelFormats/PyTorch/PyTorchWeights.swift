import Tensors

/// The tensors that an archive stores: raw bytes in members of their own, each with a description.
///
/// Those in C order are ranges of the mapped file; others, views of a shared storage among them, are rearranged once.
final class PyTorchWeights {
    struct Refusal: Error {
        let name: String
        let reason: String
    }

    private struct Entry {
        let member: ZipArchive.Member
        let elementType: ElementType
        let sizes: [Int]
        let strides: [Int]
        let offset: Int
    }

    private let archive: PyTorchArchive
    private let storage: Storage
    private var entries: [String: Entry] = [:]
    /// What rearranged weights may still take, in bytes.
    private var budget: Int

    init(_ archive: PyTorchArchive) throws(ModelError) {
        self.archive = archive
        storage = archive.zip.file.storage
        budget = PyTorchLimits.maximumRearrangedByteCount + storage.bytes.count
        try readList(of: "weights")
        try readList(of: "constants")
    }

    func meta(_ name: String) -> PyTorchTensorMeta? {
        entries[name].map {
            PyTorchTensorMeta(elementType: $0.elementType, dimensions: $0.sizes.map(PyTorchDimension.known))
        }
    }

    /// The weight, with its axes in the order of `permutation`, when that is given.
    func tensor(_ name: String, permutation: [Int]? = nil) throws(Refusal) -> Tensor {
        guard let entry = entries[name] else { throw Refusal(name: name, reason: "is not in the file") }
        let axes = permutation ?? Array(entry.sizes.indices)
        do {
            let view = try StridedView(
                sizes: axes.map { entry.sizes[$0] }, strides: axes.map { entry.strides[$0] },
                offset: entry.offset, elementCount: entry.member.byteCount / entry.elementType.byteCount)
            if view.isContiguous {
                return try Tensor(
                    elementType: entry.elementType, shape: view.shape, storage: storage,
                    byteOffset: entry.member.range.lowerBound + entry.offset * entry.elementType.byteCount)
            }
            let byteCount = view.shape.count * entry.elementType.byteCount
            guard byteCount <= budget else {
                throw Refusal(name: name, reason: "weights that are not in C order take too much memory")
            }
            budget -= byteCount
            let bytes = UnsafeRawBufferPointer(rebasing: storage.bytes[entry.member.range])
            return view.rearranged(bytes, elementType: entry.elementType)
        } catch let error as TensorError {
            throw Refusal(name: name, reason: error.description)
        } catch let error as StridedView.Refusal {
            throw Refusal(name: name, reason: error.reason)
        } catch let error as Refusal {
            throw error
        } catch {
            throw Refusal(name: name, reason: "\(error)")
        }
    }

    // MARK: - The lists

    private func readList(of kind: String) throws(ModelError) {
        let folder = "data/\(kind)/"
        guard let list = try archive.json(folder + "model_\(kind)_config.json")?["config"]?.object else {
            return
        }
        guard list.count <= PyTorchLimits.maximumWeightCount else {
            throw .file(
                path: archive.path,
                reason: "\(list.count) weights, at most \(PyTorchLimits.maximumWeightCount) are read")
        }
        for (name, value) in list {
            do {
                if let entry = try entry(value, folder) { entries[name] = entry }
            } catch let error as ModelError {
                throw error
            } catch let error as PyTorchArgumentReader.Refusal {
                throw .tensor(path: archive.path, name: name, reason: error.reason)
            } catch {
                throw .tensor(path: archive.path, name: name, reason: "\(error)")
            }
        }
    }

    /// `nil`: a constant that is no tensor, which no operator here takes.
    private func entry(_ json: JSON, _ folder: String) throws -> Entry? {
        typealias Refusal = PyTorchArgumentReader.Refusal
        guard json["use_pickle"]?.boolean != true else {
            throw Refusal(reason: "is pickled (use_pickle), which is never opened")
        }
        guard let meta = json["tensor_meta"] else { return nil }
        guard let number = meta["dtype"]?.integer,
            let elementType = PyTorchArgumentReader.elementType(number)
        else { throw Refusal(reason: "its element type is not supported") }
        guard meta["layout"]?.integer == Self.stridedLayout else { throw Refusal(reason: "is not strided") }
        guard let sizes = try meta["sizes"]?.array?.map(PyTorchArgumentReader.known),
            let strides = try meta["strides"]?.array?.map(PyTorchArgumentReader.known),
            sizes.count == strides.count, sizes.count <= PyTorchLimits.maximumRank,
            let offset = try meta["storage_offset"].map(PyTorchArgumentReader.known)
        else { throw Refusal(reason: "its sizes, strides and offset are not as they should be") }
        let path = try PyTorchArgumentReader.name(json["path_name"])
        guard let member = archive.zip[archive.root + folder + path] else {
            throw Refusal(reason: "\(folder)\(path) is not in the file")
        }
        _ = try archive.zip.storedRange(of: member)
        return Entry(member: member, elementType: elementType, sizes: sizes, strides: strides, offset: offset)
    }

    private static let stridedLayout = 7
}
