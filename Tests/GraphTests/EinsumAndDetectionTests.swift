import Graph
import Tensors
import Testing

/// What ONNX Runtime's table leaves open of Einsum and of detection: equations and regions that make no sense.
@Suite struct EinsumAndDetectionTests {
    private static func run(
        _ type: String, opset: Int = 16, _ attributes: [String: Attribute], _ inputs: [ExactTensor?]
    ) throws -> ExactTensor {
        try makeNode(type, opset: opset, attributes, inputs: inputs.count).operation
            .evaluate(inputs, outputCount: 1)[0]
    }

    @Test(arguments: [
        ("i->j", "attribute 'equation' 'i->j' has an output label that no input has"),
        ("i->ii", "attribute 'equation' 'i->ii' names an output label twice"),
        ("i->i->i", "attribute 'equation' 'i->i->i' has more than one arrow"),
        ("i.j", "attribute 'equation' 'i.j' has a term that is no labels"),
        ("...i...", "attribute 'equation' '...i...' has a term that is no labels"),
        ("i;j", "attribute 'equation' 'i;j' has a term that is no labels"),
        ("i,i", "the equation has 2 terms, there are 1 inputs"),
        ("i", "input 0 has rank 2, its term has 1 labels"),
        ("ijk...", "input 0 has rank 2, its term has 3 labels"),
        ("i...->i", "the ellipsis stands for 1 axes, the output has none"),
        ("ii", "input 0 float32[2,3] has one label for extents 2 and 3"),
    ])
    func `an equation that says nothing is refused`(equation: String, message: String) {
        let error = #expect(throws: GraphError.self) {
            try makeNode("Einsum", ["equation": .string(equation)], inputs: 1).operation
                .inferOutputs([info(2, 3)], outputCount: 1)
        }
        #expect(error?.description == "Einsum: \(message)")
    }

    @Test func `an equation has a greatest length`() throws {
        let longest = String(repeating: " ", count: 4095) + "i"
        #expect(
            try Self.run("Einsum", ["equation": .string(longest)], [tensor([2], [1, 2])]).reals == [1, 2])
        let error = #expect(throws: GraphError.self) {
            try makeNode("Einsum", ["equation": .string(longest + "i")], inputs: 1)
        }
        #expect(
            error?.description == "Einsum: attribute 'equation' has 4097 characters, at most 4096 are read")
    }

    @Test func `capital letters are other labels and come first`() throws {
        let result = try Self.run(
            "Einsum", ["equation": .string("aB")], [tensor([2, 3], [0, 1, 2, 3, 4, 5])])
        #expect(result.shape == (try Shape([3, 2])))
        #expect(result.reals == [0, 3, 1, 4, 2, 5])
    }

    @Test func `integers wrap, and unsigned ones are summed by their bits`() throws {
        let x = try tensor([2], [200, 100], .uint8)
        #expect(
            try Self.run("Einsum", ["equation": .string("i,i")], [x, tensor([2], [2, 1], .uint8)]).integers
                == [244])
    }

    @Test func `a sum over nothing is 0`() throws {
        let result = try Self.run(
            "Einsum", ["equation": .string("ij,jk->ik")], [tensor([2, 0], []), tensor([0, 1], [])])
        #expect(result.reals == [0, 0])
    }

    @Test func `what lies between is bounded too`() throws {
        let many = try tensor([1 << 15], [Double](repeating: 1, count: 1 << 15))
        // Summed before they are multiplied, as no output has their labels.
        #expect(
            try Self.run("Einsum", ["equation": .string("i,j,k->")], [many, many, many]).reals == [0x1p45])
        #expect(throws: GraphError.self) {
            try Self.run("Einsum", ["equation": .string("i,j->ij")], [many, many])
        }
    }

    @Test func `shapes follow labels`() throws {
        func inferred(_ equation: String, _ inputs: [ValueInfo]) throws -> String {
            try makeNode("Einsum", ["equation": .string(equation)], inputs: inputs.count).operation
                .inferOutputs(inputs, outputCount: 1)[0].description
        }
        #expect(try inferred("bij,bjk->bik", [info("N", 2, 3), info("N", 3, 4)]) == "float32[N,2,4]")
        #expect(try inferred("...ij->...ji", [info("N", 5, 2, 3)]) == "float32[N,5,3,2]")
        #expect(try inferred("...ij->...ji", [ValueInfo(.float32, nil)]) == "float32[…]")
        #expect(try inferred("ij->ji", [ValueInfo(.float32, nil)]) == "float32[?,?]")
        #expect(
            try makeNode("NonMaxSuppression", inputs: 2).operation
                .inferOutputs([info("N", "B", 4), info("N", "C", "B")], outputCount: 1)[0].description
                == "int64[?,3]")
        #expect(
            try makeNode("RoiAlign", ["output_width": .integer(2)], inputs: 3).operation
                .inferOutputs([info("N", 3, 8, 8), info("R", 4), ValueInfo(.int64, ["R"])], outputCount: 1)[0]
                .description == "float32[R,3,1,2]")
    }

    @Test(arguments: [
        [Double.nan, 0, 1, 1], [0, 0, .infinity, 1], [-1e30, 0, 1e30, 1], [0, 0, 1, 1e9],
    ])
    func `a region that no grid can be laid over is refused`(corners: [Double]) throws {
        #expect(throws: GraphError.self) {
            try Self.run(
                "RoiAlign", [:],
                [tensor([1, 1, 2, 2], [1, 2, 3, 4]), tensor([1, 4], corners), tensor([1], [0], .int64)])
        }
        #expect(throws: GraphError.self) {
            try Self.run(
                "MaxRoiPool", ["pooled_shape": .integers([1, 1])],
                [tensor([1, 1, 2, 2], [1, 2, 3, 4]), tensor([1, 5], [0] + corners.map { $0 * 1e9 })])
        }
    }

    @Test func `a region of an image that is not there is refused`() throws {
        let x = try tensor([1, 1, 2, 2], [1, 2, 3, 4])
        for image in [-1.0, 1] {
            let aligned = #expect(throws: GraphError.self) {
                try Self.run(
                    "RoiAlign", [:], [x, tensor([1, 4], [0, 0, 1, 1]), tensor([1], [image], .int64)])
            }
            #expect(aligned?.description == "RoiAlign: a region is of image \(Int(image)), X has 1")
            let pooled = #expect(throws: GraphError.self) {
                try Self.run(
                    "MaxRoiPool", ["pooled_shape": .integers([1, 1])],
                    [x, tensor([1, 5], [image, 0, 0, 1, 1])])
            }
            #expect(pooled?.description == "MaxRoiPool: a region is of image \(image), X has 1")
        }
    }

    @Test func `a region turned inside out has no samples, and its bins are 0`() throws {
        let result = try Self.run(
            "RoiAlign", [:],
            [tensor([1, 1, 2, 2], [1, 2, 3, 4]), tensor([1, 4], [2, 2, 0, 0]), tensor([1], [0], .int64)])
        #expect(result.reals == [0])
    }

    @Test func `boxes are suppressed by better ones alone, and equal scores by the index`() throws {
        let boxes = try tensor([1, 3, 4], [0, 0, 1, 1, 0, 0, 1, 1, 5, 5, 6, 6])
        let scores = try tensor([1, 1, 3], [0.5, 0.5, 0.1])
        let all = try tensor([], [9], .int64)
        #expect(try Self.run("NonMaxSuppression", [:], [boxes, scores, all]).integers == [0, 0, 0, 0, 0, 2])
        #expect(try Self.run("NonMaxSuppression", [:], [boxes, scores]).shape == Shape([0, 3]))
        #expect(
            try Self.run("NonMaxSuppression", [:], [boxes, scores, tensor([], [-1], .int64)]).shape
                == Shape([0, 3]))
        let thresholds = [try tensor([], [1]), try tensor([], [0.2])]
        #expect(
            try Self.run("NonMaxSuppression", [:], [boxes, scores, all] + thresholds).integers
                == [0, 0, 0, 0, 0, 1])
    }

    @Test func `a score that is no number takes no box`() throws {
        let boxes = try tensor([1, 2, 4], [0, 0, 1, 1, 5, 5, 6, 6])
        let result = try Self.run(
            "NonMaxSuppression", [:],
            [boxes, tensor([1, 1, 2], [.nan, -.infinity]), tensor([], [9], .int64)])
        #expect(result.integers == [0, 0, 1])
    }

    @Test func `a threshold that is no share is refused`() throws {
        for threshold in [-0.1, 1.5, .nan] {
            #expect(throws: GraphError.self) {
                try Self.run(
                    "NonMaxSuppression", [:],
                    [
                        tensor([1, 1, 4], [0, 0, 1, 1]), tensor([1, 1, 1], [1]), tensor([], [9], .int64),
                        tensor([], [threshold]),
                    ])
            }
        }
    }
}
