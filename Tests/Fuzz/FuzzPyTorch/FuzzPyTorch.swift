import FuzzModels
import FuzzSupport
import Graph
import ModelFormats

/// An exported program of any bytes is loaded, inferred, folded, proven and evaluated, or refused.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPyTorch(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let file = FuzzFile(UnsafeBufferPointer(start: start, count: count), name: "model.pt2")
    guard let graph = try? PyTorchFormat().load(path: file.path) else { return PlantedCrash.refused }
    if PlantedCrash.isPlanted {
        // The one seed is one ReLU.
        if let node = graph.nodes.first, node.type != "Relu" { PlantedCrash.reached() }
        return 0
    }
    ModelExercise.run(graph)
    return 0
}

private let vocabulary =
    PyTorchOperatorCatalog.standard.names.map { "torch.ops." + $0 } + [
        "torch.ops.aten.relu_.default", "torch.ops.aten.add_.Tensor", "torch.ops.aten.clamp_.default",
        "as_none", "as_tensor", "as_tensors", "as_optional_tensors", "as_optional_tensor", "as_int",
        "as_ints",
        "as_sym_int", "as_sym_ints", "as_float", "as_floats", "as_bool", "as_string", "as_scalar_type",
        "as_name", "as_expr", "self", "input", "other", "dim", "size", "weight", "bias", "stride", "padding",
        "dilation", "groups", "kernel_size", "ceil_mode", "count_include_pad", "alpha", "value", "dtype",
        "use_pickle", "user_input", "user_output", "parameter", "buffer", "tensor_constant", "same", "none",
        "tanh", "Infinity", "NaN",
    ]

/// Changes the graph and the lists of weights as JSON, in an archive that stays one.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutatePyTorch(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int, _ seed: CUnsignedInt
) -> Int {
    var mutator = ArchiveMutator(seed: UInt64(seed), vocabulary: vocabulary)
    let mutated = mutator.mutated(UnsafeBufferPointer(start: start, count: count))
    return deliver(mutated, to: start, count, maximum)
}
