import FuzzModels
import FuzzSupport
import Graph
import ModelFormats

/// A model of any bytes is loaded, inferred, folded, proven and evaluated, or refused; foldserve's own operators are read as
/// from a cached fold.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzONNX(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let file = FuzzFile(bytes, name: "model.onnx")
    guard let graph = try? ONNXFormat(readsOwnOperators: true).load(path: file.path) else {
        return PlantedCrash.refused
    }
    if PlantedCrash.isPlanted {
        // Two changes away from the one seed, PRelu of operator set 9. The rest is left out, and so is what cannot be
        // loaded: the corpus would fill with models that are no step nearer.
        guard graph.opset > 9 else { return 0 }
        if graph.nodes.first?.type.utf8.first == UInt8(ascii: "S") { PlantedCrash.reached() }
        return 0
    }
    ModelExercise.run(graph)
    return 0
}

/// Changes a model field by field: bytes changed anywhere would rarely be a protobuf message again.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateONNX(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int, _ seed: CUnsignedInt
) -> Int {
    var mutator = WireMutator(seed: UInt64(seed), root: ONNXSchema.model)
    let mutated = mutator.mutated(UnsafeBufferPointer(start: start, count: count), maximum: maximum)
    return deliver(mutated, to: start, count, maximum)
}
