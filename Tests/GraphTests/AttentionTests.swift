import Graph
import Tensors
import Testing

/// What attention, its embedding and the losses refuse, and rows without anything to attend to.
@Suite struct AttentionTests {
    private static let heads = info(2, 4, 3, 8)

    static let errors: [OperatorErrorTests.Case] = [
        .init(
            type: "Attention", opset: 23, inputs: [info(2, 3, 32), info(2, 3, 32), info(2, 3, 32)],
            message: "Attention: the inputs have rank 3, q_num_heads and kv_num_heads are not both stated"),
        .init(
            type: "Attention", opset: 23,
            attributes: ["q_num_heads": .integer(5), "kv_num_heads": .integer(5)],
            inputs: [info(2, 3, 32), info(2, 3, 32), info(2, 3, 32)],
            message: "Attention: Q has vectors of 32, they cannot be divided into 5 heads"),
        .init(
            type: "Attention", opset: 25,
            attributes: ["q_num_heads": .integer(4), "kv_num_heads": .integer(4)],
            inputs: [heads, heads, heads],
            message: "Attention: q_num_heads and kv_num_heads are stated, the inputs have rank 4"),
        .init(
            type: "Attention", opset: 23, inputs: [heads, info(2, 3, 3, 8), info(2, 3, 3, 8)],
            message: "Attention: 4 heads of Q cannot be divided among 3 of K"),
        .init(
            type: "Attention", opset: 23, inputs: [heads, info(2, 4, 3, 7), heads],
            message: "Attention: K has 7 elements a head, the inputs before it have 8"),
        .init(
            type: "Attention", opset: 23, inputs: [heads, heads, info(2, 4, 5, 8)],
            message: "Attention: V has 5 elements, the inputs before it have 3"),
        .init(
            type: "Attention", opset: 23, inputs: [heads, heads, heads, nil, heads],
            message: "Attention: past_key and past_value go together, one is absent"),
        .init(
            type: "Attention", opset: 23, inputs: [heads, heads, heads, ValueInfo(.int64, [3, 3])],
            message: "Attention: attn_mask has element type int64, expected a floating type"),
        .init(
            type: "Attention", opset: 23, inputs: [heads, heads, heads, info(3, 2)],
            message: "Attention: attn_mask has an extent of 2, it is broadcast to 3"),
        .init(
            type: "Attention", opset: 24, inputs: [heads, heads, heads, info(3, 4)],
            message: "Attention: attn_mask is for 4 keys, there are 3"),
        .init(
            type: "Attention", opset: 24,
            inputs: [heads, heads, heads, nil, heads, heads, ValueInfo(.int64, [2])],
            message: "Attention: nonpad_kv_seqlen and past_key exclude each other"),
        .init(
            type: "Attention", opset: 24, attributes: ["left_window_size": .integer(1)],
            inputs: [heads, heads, heads],
            message: "Attention: attribute 'left_window_size' is not known in opset 24"),
        .init(
            type: "RotaryEmbedding", opset: 23, inputs: [info(2, 3, 8), info(2, 3, 4), info(2, 3, 4)],
            message: "RotaryEmbedding: X has rank 3, num_heads is not stated"),
        .init(
            type: "RotaryEmbedding", opset: 23, inputs: [info(2, 4, 3, 7), info(2, 3, 4), info(2, 3, 4)],
            message: "RotaryEmbedding: 7 elements of a head of 7 rotate, expected an even number"),
        .init(
            type: "RotaryEmbedding", opset: 23, inputs: [heads, info(2, 3, 3), info(2, 3, 4)],
            message: "RotaryEmbedding: cos_cache has an extent of 3 on axis 2, expected 4"),
        .init(
            type: "NegativeLogLikelihoodLoss", inputs: [info(2, 5, 3), ValueInfo(.int64, [2, 4])],
            message: "NegativeLogLikelihoodLoss: input is float32[2,5,3], target is int64[2,4]"),
        .init(
            type: "SoftmaxCrossEntropyLoss", inputs: [info(2, 5), ValueInfo(.int64, [2]), info(4)],
            message: "SoftmaxCrossEntropyLoss: weights float32[4] has not 5 elements, one for each class"),
        .init(
            type: "TfIdfVectorizer", attributes: ["pool_strings": .strings(["a"])],
            inputs: [ValueInfo(.int64, [2])],
            message: "TfIdfVectorizer: attribute 'pool_int64s' is required, strings are not known"),
        .init(
            type: "TfIdfVectorizer",
            attributes: [
                "pool_int64s": .integers([1, 2]), "ngram_indexes": .integers([0, 1]),
                "ngram_counts": .integers([3]),
            ], inputs: [ValueInfo(.int64, [2])],
            message: "TfIdfVectorizer: attribute 'ngram_counts' has 3 before 2, the pool has 2 tokens"),
    ]

    @Test(arguments: errors) func `says`(_ item: OperatorErrorTests.Case) {
        let error = #expect(throws: GraphError.self) {
            let node = try makeNode(item.type, opset: item.opset, item.attributes, inputs: item.inputs.count)
            _ = try node.operation.inferOutputs(item.inputs, outputCount: 1)
        }
        #expect(error?.description == item.message)
    }

    @Test func `a symbolic batch and length stay known through attention with a cache`() throws {
        let node = try makeNode("Attention", opset: 24, inputs: 6, outputs: 4)
        let (new, past) = (info("N", 4, 1, 8), info("N", 2, "P", 8))
        let result = try node.operation.inferOutputs(
            [new, info("N", 2, 1, 8), info("N", 2, 1, 8), nil, past, past], outputCount: 4)
        #expect(result[0].dimensions == ["N", 4, 1, 8])
        #expect(result[1].dimensions == ["N", 2, "?", 8])
        #expect(result[3].dimensions == ["N", 4, 1, "?"])
    }

    @Test func `a query without a key to attend to gives zeros`() throws {
        let node = try makeNode("Attention", opset: 24, inputs: 4, outputs: 4)
        let x = try tensor([1, 1, 2, 1], [1, 2])
        let mask = try tensor([2, 2], [0, 0, 1, 0], .bool)
        let result = try node.operation.evaluate([x, x, x, mask], outputCount: 4)
        #expect(result[0].reals == [0, 1])
        let none = try tensor([1, 1, 0, 1], [])
        let empty = try node.operation.evaluate([x, none, none], outputCount: 1)
        #expect(empty[0].reals == [0, 0])
    }

    @Test func `attention refuses more valid keys than there are`() throws {
        let node = try makeNode("Attention", opset: 24, inputs: 7)
        let x = try tensor([1, 1, 2, 1], [1, 2])
        for count in [3.0, -1] {
            #expect(throws: GraphError.self) {
                try node.operation.evaluate(
                    [x, x, x, nil, nil, nil, tensor([1], [count], .int64)], outputCount: 1)
            }
        }
    }

    @Test func `a rotation refuses a position that the caches lack`() throws {
        let operation = try makeNode("RotaryEmbedding", opset: 23, inputs: 4).operation
        let (x, cache) = (try tensor([1, 1, 1, 2], [1, 2]), try tensor([3, 1], [0, 1, 0]))
        let result = try operation.evaluate([x, cache, cache, tensor([1, 1], [1], .int64)], outputCount: 1)
        #expect(result[0].reals == [-1, 3])
        for position in [3.0, -1] {
            #expect(throws: GraphError.self) {
                try operation.evaluate(
                    [x, cache, cache, tensor([1, 1], [position], .int64)], outputCount: 1)
            }
        }
    }

    @Test func `a loss refuses a label that is no class, unless it is ignored`() throws {
        let x = try tensor([2, 2], [-1, -2, -3, -4])
        let labels = try tensor([2], [1, -7], .int64)
        let strict = try makeNode("NegativeLogLikelihoodLoss", inputs: 2).operation
        #expect(throws: GraphError.self) { try strict.evaluate([x, labels], outputCount: 1) }
        let lenient = try makeNode("NegativeLogLikelihoodLoss", ["ignore_index": .integer(-7)], inputs: 2)
        #expect(try lenient.operation.evaluate([x, labels], outputCount: 1)[0].reals == [2])
    }

    @Test func `n-grams with tokens between them are counted at each distance`() throws {
        let operation = try makeNode(
            "TfIdfVectorizer", opset: 9,
            [
                "mode": .string("TF"), "pool_int64s": .integers([3, 1, 2]),
                "ngram_indexes": .integers([1, 0]),
                "ngram_counts": .integers([0, 1]), "min_gram_length": .integer(1),
                "max_gram_length": .integer(2), "max_skip_count": .integer(.init(Int32.max)),
            ], inputs: 1
        ).operation
        let result = try operation.evaluate([tensor([4], [1, 3, 2, 2], .int64)], outputCount: 1)
        #expect(result[0].reals == [2, 1])
    }
}
