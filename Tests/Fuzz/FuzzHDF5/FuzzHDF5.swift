import FuzzModels
import FuzzSupport
import ModelFormats
import Tensors

/// An HDF5 file of any bytes is walked from group to group, with its attributes and data sets, or refused.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHDF5(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    let storage = Storage(byteCount: count) { memory in
        if count > 0 { memory.copyMemory(from: bytes) }
    }
    guard let file = try? HDF5File(storage, range: 0..<count), let root = try? file.root else {
        return PlantedCrash.refused
    }
    var walk = Walk(file: file)
    walk.visit(root)
    return walk.elementCount > 0 ? 0 : PlantedCrash.refused
}

private struct Walk {
    private static let maximumObjectCount = 64
    /// Chunks may expand to a thousand times the file: few data sets are read whole.
    private static let maximumElementCount = 1 << 20
    private static let attributes = [
        "model_config", "keras_version", "weight_names", "weight_names0", "name",
    ]

    let file: HDF5File
    private var count = 0
    private(set) var elementCount = 0

    init(file: HDF5File) { self.file = file }

    mutating func visit(_ object: HDF5Object) {
        count += 1
        guard count <= Self.maximumObjectCount else { return }
        for name in Self.attributes { _ = try? object.strings(name) }
        if elementCount < Self.maximumElementCount, let tensor = try? object.tensor() { check(tensor) }
        guard let links = try? file.links(of: object) else { return }
        for (name, address) in links.sorted(by: { $0.key < $1.key }) {
            if let child = try? HDF5Object(file, at: address) { visit(child) }
            _ = try? object.object(at: name)
        }
    }

    private mutating func check(_ tensor: Tensor) {
        elementCount += tensor.shape.count
        precondition(tensor.withUnsafeBytes { $0.count } == tensor.shape.count * tensor.elementType.byteCount)
        // Every byte can be read.
        let sum = tensor.withUnsafeBytes { $0.reduce(0) { $0 &+ Int($1) } }
        // The one seed holds three elements of one axis.
        if PlantedCrash.isPlanted, tensor.shape.dimensions != [3] { PlantedCrash.reached() }
        precondition(sum >= 0)
    }
}

/// Changes numbers where they are, and the JSON text of an attribute as JSON.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateHDF5(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int, _ seed: CUnsignedInt
) -> Int {
    var mutator = HDF5Mutator(seed: UInt64(seed))
    let mutated = mutator.mutated(Array(UnsafeBufferPointer(start: start, count: count)))
    return deliver(mutated, to: start, count, maximum)
}
