import FuzzModels
import FuzzSupport
import Graph
import ModelFormats

/// A Keras model of any bytes, `.keras` or `.h5`, is loaded, inferred, folded, proven and evaluated, or refused.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzKeras(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let file = FuzzFile(bytes, name: "model")
    let isArchive = bytes.first == UInt8(ascii: "P")
    let format: any ModelFormat = isArchive ? KerasFormat() : KerasHDF5Format()
    guard let graph = try? format.load(path: file.path) else { return PlantedCrash.refused }
    if PlantedCrash.isPlanted {
        // The one seed is one ReLU.
        if let node = graph.nodes.first, node.type != "Relu" { PlantedCrash.reached() }
        return 0
    }
    ModelExercise.run(graph)
    return 0
}

/// Changes the configuration as JSON and the weights as HDF5, in an archive that stays one.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateKeras(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int, _ seed: CUnsignedInt
) -> Int {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    if bytes.first == UInt8(ascii: "P") {
        var mutator = ArchiveMutator(seed: UInt64(seed), vocabulary: KerasVocabulary.words)
        return deliver(mutator.mutated(bytes), to: start, count, maximum)
    }
    var mutator = HDF5Mutator(seed: UInt64(seed), vocabulary: KerasVocabulary.words)
    return deliver(mutator.mutated(Array(bytes)), to: start, count, maximum)
}
