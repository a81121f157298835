import Graph
import Tensors

/// Dense layers and tables.
enum KerasDense {
    /// `nil`: another family's layer.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "Dense": try dense(&builder, layer, call)
        case "Embedding": try embedding(&builder, layer, call)
        default: nil
        }
    }

    /// A vector's is Gemm. Where channels have been moved it is a convolution of 1×1, so that they stay; in a sequence it
    /// is a product along the last axis.
    private static func dense(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let input = try call.input
        let rank = try builder.rank(input)
        try layer.require("quantization_config")
        try layer.require("lora_rank")
        let kernel = try layer.weights.tensor(0, "kernel", rank: 2)
        var bias: String?
        if layer.flag("use_bias", default: true) {
            bias = builder.constant(try layer.weights.tensor(1, "bias", rank: 1), "bias")
        }
        let result: KerasValue
        if input.isMoved {
            let weight = try kernel.permuted([1, 0])
                .withShape([kernel.shape[1], kernel.shape[0]] + [Int](repeating: 1, count: rank - 2))
            let parts = [input.name, builder.constant(weight, "kernel")] + (bias.map { [$0] } ?? [])
            result = KerasValue(name: try builder.add("Conv", parts), isMoved: true)
        } else if rank == 2 {
            let parts = [input.name, builder.constant(kernel, "kernel")] + (bias.map { [$0] } ?? [])
            result = KerasValue(name: try builder.add("Gemm", parts))
        } else {
            var name = try builder.add("MatMul", [input.name, builder.constant(kernel, "kernel")])
            if let bias { name = try builder.add("Add", [name, bias]) }
            result = KerasValue(name: name)
        }
        return [try KerasActivations.apply(layer, result, &builder)]
    }

    private static func embedding(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        try layer.require("mask_zero")
        try layer.require("quantization_config")
        try layer.require("lora_rank")
        let input = try call.input
        var indices = try builder.own(input)
        if let type = builder.elementType(input), type != .int32, type != .int64 {
            indices = try builder.add("Cast", [indices], ["to": .integer(KerasNumbers.int32)])
        }
        let table = builder.constant(try layer.weights.tensor(0, "embeddings", rank: 2), "embeddings")
        return [KerasValue(name: try builder.add("Gather", [table, indices]))]
    }
}

/// ONNX's numbers of element types.
enum KerasNumbers {
    static let float32: Int64 = 1
    static let int32: Int64 = 6
}
