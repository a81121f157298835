import Graph
import ModelFormats
import Tensors
import TestSupport
import Testing

@Suite struct ONNXSparseTensorTests {
    let folder = TemporaryFolder()

    private static func sparse(
        values: [Float]? = [5, 7], indices: [Int64]? = [1, 3], indexDims: [Int64]? = nil,
        dims: [Int64] = [2, 2],
        name: String = "w"
    ) -> WireMessage {
        WireMessage(
            bytes: (values.map { values in
                WireMessage.message(
                    1, .number(1, Int64(values.count)), .number(2, 1), .text(8, name),
                    .data(9, WireMessage.memory(of: values))
                ).bytes
            } ?? [])
                + (indices.map { indices in
                    WireMessage.message(
                        2, .packed(1, indexDims ?? [Int64(indices.count)]), .number(2, 7), .packed(7, indices)
                    ).bytes
                } ?? []) + WireMessage.packed(3, dims).bytes)
    }

    private static func model(_ sparse: WireMessage) -> WireMessage {
        .model([.data(15, sparse.bytes), .output("w")])
    }

    @Test(arguments: [
        (sparse(), [0.0, 5, 0, 7]),
        (sparse(indices: [0, 1, 1, 0], indexDims: [2, 2]), [0, 5, 7, 0]),
        (sparse(values: [], indices: []), [0, 0, 0, 0]),
    ]) func `puts the values where the indices say`(_ sparse: WireMessage, _ expected: [Double]) throws {
        let tensor = try #require(try folder.load(Self.model(sparse)).constants["w"])
        #expect(ExactTensor(tensor).reals == expected && tensor.shape.dimensions == [2, 2])
    }

    @Test(arguments: [
        (sparse(values: nil), "sparse initializer 0 has no name"),
        (sparse(indices: nil), "tensor 'w': is sparse and lacks its values or its indices"),
        (sparse(name: ""), "sparse initializer 0 has no name"),
        (
            sparse(indices: [1]),
            "tensor 'w': has 2 sparse values and indices of shape [1], expected [2] or [2, 2]"
        ),
        (sparse(indices: [1, 4]), "tensor 'w': the index 4 of sparse value 1 is out of range"),
        (sparse(indices: [-1, 1]), "tensor 'w': the index -1 of sparse value 0 is out of range"),
        (
            sparse(indices: [0, 1, 0, 2], indexDims: [2, 2]),
            "tensor 'w': the index 2 of sparse value 1 is out of range"
        ),
        (
            sparse(indices: [1, 1]),
            "tensor 'w': the index of sparse value 1 does not come after the one before it"
        ),
        (sparse(dims: [2, -2]), "tensor 'w': shape [2, -2] has a negative dimension"),
        (
            sparse(dims: [1 << 14, 1 << 14, 2]),
            "tensor 'w': sparse tensors would take more than 1073741824 bytes when they are dense"
        ),
        (
            sparse(dims: [Int64](repeating: 1, count: 65)),
            "tensor 'w': has 65 dimensions, over the limit of 64"
        ),
    ]) func `refuses with a reason`(_ sparse: WireMessage, _ reason: String) {
        #expect(folder.refusal(Self.model(sparse)) == reason)
    }

    @Test func `counts all sparse tensors of a model together`() {
        let half = { (name: String) in
            WireMessage.data(15, Self.sparse(dims: [1 << 13, 1 << 13, 3], name: name).bytes)
        }
        #expect(
            folder.refusal(.model([half("a"), half("b"), .output("a")]))
                == "tensor 'b': sparse tensors would take more than 1073741824 bytes when they are dense")
    }
}
