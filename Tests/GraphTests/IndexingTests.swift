import Graph
import Tensors
import Testing

/// What the published vectors leave open of the operators that take indices or whose elements decide a shape.
@Suite struct IndexingTests {
    private static func run(
        _ type: String, opset: Int = 18, _ attributes: [String: Attribute], _ inputs: [ExactTensor?],
        outputs: Int = 1
    ) throws -> [ExactTensor] {
        try makeNode(type, opset: opset, attributes, inputs: inputs.count, outputs: outputs).operation
            .evaluate(inputs, outputCount: outputs)
    }

    private static func run(
        _ type: String, opset: Int = 18, _ inputs: [ExactTensor?], outputs: Int = 1
    ) throws -> [ExactTensor] {
        try run(type, opset: opset, [:], inputs, outputs: outputs)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let type: String
        var opset = 18
        var attributes: [String: Attribute] = [:]
        let inputs: [ValueInfo?]
        let message: String
        var testDescription: String { message }
    }

    static let refusals: [Refusal] = [
        Refusal(
            type: "GatherElements", inputs: [info(3, 2), ValueInfo(.int64, [3, 3])],
            message: "GatherElements: indices has an extent of 3 on axis 1, data has an extent of 2"),
        Refusal(
            type: "GatherElements", inputs: [info(3, 2), ValueInfo(.float32, [3, 2])],
            message: "GatherElements: indices has element type float32, expected int64 or int32"),
        Refusal(
            type: "GatherND", inputs: [info(3, 2), ValueInfo(.int64, [4, 3])],
            message: "GatherND: indices has tuples of 3, data has 2 axes to choose on"),
        Refusal(
            type: "GatherND", attributes: ["batch_dims": .integer(1)],
            inputs: [info(3, 2), ValueInfo(.int64, [4, 1])],
            message: "GatherND: indices has a batch extent of 4 on axis 0, data has 3"),
        Refusal(
            type: "GatherND", opset: 11, attributes: ["batch_dims": .integer(1)],
            inputs: [info(3, 2), ValueInfo(.int64, [3, 1])],
            message: "GatherND: attribute 'batch_dims' is not known in opset 11"),
        Refusal(
            type: "ScatterElements", inputs: [info(3), vector(0, 1), info(3)],
            message: "ScatterElements: updates float32[3] has an extent of 3, expected 2"),
        Refusal(
            type: "ScatterElements", opset: 17, attributes: ["reduction": .string("max")],
            inputs: [info(3), vector(0), info(1)],
            message: "ScatterElements: attribute 'reduction' is 'max', which is not known in opset 17"),
        Refusal(
            type: "ScatterND", inputs: [info(3, 2), ValueInfo(.int64, [4, 1]), info(4, 3)],
            message: "ScatterND: updates float32[4,3] has an extent of 3, expected 2"),
        Refusal(
            type: "TensorScatter", opset: 24, inputs: [info(2, 3, 4), info(2, 5, 4)],
            message: "TensorScatter: update has 5 elements on axis 1, past_cache has 3"),
        Refusal(
            type: "TensorScatter", opset: 24, inputs: [info(2, 3), info(2, 3)],
            message: "TensorScatter: axis is -2, the batch's own"),
        Refusal(
            type: "ReverseSequence", attributes: ["batch_axis": .integer(0)],
            inputs: [info(2, 3), vector(1, 1)],
            message: "ReverseSequence: attribute 'time_axis' is 0, as is batch_axis"),
        Refusal(
            type: "TopK", inputs: [info(2, 3), vector(4)],
            message: "TopK: K is 4, axis 1 has an extent of 3"),
        Refusal(type: "TopK", inputs: [info(2, 3), vector(-1)], message: "TopK: K is -1"),
        Refusal(
            type: "TopK", opset: 9, inputs: [info(2, 3)], message: "TopK: attribute 'k' is required"),
        Refusal(
            type: "OneHot", inputs: [vector(1), vector(-2), info(2)], message: "OneHot: depth is -2"),
        Refusal(
            type: "OneHot", inputs: [vector(1), vector(2), info(3)],
            message: "OneHot: values has 3 elements, expected 2"),
        Refusal(
            type: "Compress", attributes: ["axis": .integer(0)], inputs: [info(2), info(2)],
            message: "Compress: condition has element type float32, expected bool"),
        Refusal(
            type: "CumSum", inputs: [info(2), vector(1)],
            message: "CumSum: axis is 1, the input has rank 1"),
        Refusal(
            type: "Trilu", inputs: [info(2)],
            message: "Trilu: input float32[2] has rank 1, expected at least 2"),
        Refusal(
            type: "EyeLike", attributes: ["dtype": .integer(17)], inputs: [info(2, 2)],
            message: "EyeLike: attribute 'dtype' is 17 (float8e4m3fn), no element type that is known"),
        Refusal(
            type: "BitShift", inputs: [vector(1), vector(1)],
            message: "BitShift: attribute 'direction' is required"),
        Refusal(
            type: "BitShift", attributes: ["direction": .string("LEFT")], inputs: [vector(1), vector(1)],
            message: "BitShift: X has element type int64, expected uint8 or uint16 or uint32 or uint64"),
        Refusal(
            type: "BitwiseNot", inputs: [info(1)],
            message: "BitwiseNot: X has element type float32, expected an integer type"),
        Refusal(
            type: "BitCast", opset: 26, attributes: ["to": .integer(11)], inputs: [info(1)],
            message:
                "BitCast: the input has element type float32 of 4 bytes, float64 has 8"),
        Refusal(
            type: "IsNaN", inputs: [vector(1)],
            message: "IsNaN: X has element type int64, expected a floating type"),
    ]

    @Test(arguments: refusals) func `says`(_ item: Refusal) {
        let error = #expect(throws: GraphError.self) {
            let node = try makeNode(item.type, opset: item.opset, item.attributes, inputs: item.inputs.count)
            _ = try node.operation.inferOutputs(item.inputs, outputCount: 1)
        }
        #expect(error?.description == item.message)
    }

    @Test(arguments: ["GatherElements", "ScatterElements", "GatherND", "ScatterND"])
    func `an index past either end is refused`(type: String) throws {
        let data = try tensor([3], [1, 2, 3])
        let takesTuples = type.hasSuffix("ND")
        for index in [3.0, -4] {
            let indices = try tensor(takesTuples ? [1, 1] : [1], [index], .int64)
            let inputs = type.hasPrefix("Gather") ? [data, indices] : [data, indices, try tensor([1], [9])]
            let error = #expect(throws: GraphError.self) { try Self.run(type, inputs) }
            #expect(
                error?.description == "\(type): an index is \(Int(index)), axis 0 has an extent of 3")
        }
    }

    @Test func `an index counted from the end is the same element`() throws {
        let data = try tensor([3], [1, 2, 3])
        let last = try tensor([1], [-1], .int64)
        #expect(try Self.run("GatherElements", [data, last])[0].reals == [3])
        #expect(try Self.run("ScatterElements", [data, last, tensor([1], [9])])[0].reals == [1, 2, 9])
    }

    @Test(arguments: [("none", [6.0]), ("add", [14]), ("mul", [60]), ("min", [1]), ("max", [6])])
    func `updates of one element are reduced`(reduction: String, expected: [Double]) throws {
        let results = try Self.run(
            "ScatterND", ["reduction": .string(reduction)],
            [tensor([1], [1]), tensor([3, 1], [0, 0, -1], .int64), tensor([3], [2, 5, 6])])
        #expect(results[0].reals == expected)
    }

    @Test func `integers wrap to their width when they are reduced`() throws {
        let results = try Self.run(
            "ScatterElements", ["reduction": .string("add")],
            [tensor([1], [200], .uint8), tensor([1], [0], .int64), tensor([1], [100], .uint8)])
        #expect(results[0].integers == [44])
    }

    @Test func `the greatest of unsigned 64-bit integers is the greatest`() throws {
        let shape = try Shape([2])
        let x = ExactTensor(integers: [1, -1], shape: shape, elementType: .uint64)
        let results = try Self.run("TopK", [x, tensor([1], [1], .int64)], outputs: 2)
        #expect(results[0].integers == [-1])
        #expect(results[1].integers == [1])
    }

    @Test func `NaN is the greatest, and equal elements come by their indices`() throws {
        let x = try tensor([5], [1, .nan, 2, 2, .nan])
        let largest = try Self.run("TopK", [x, tensor([1], [4], .int64)], outputs: 2)
        #expect(largest[1].integers == [1, 4, 2, 3])
        let smallest = try Self.run(
            "TopK", ["largest": .integer(0)], [x, tensor([1], [5], .int64)], outputs: 2)
        #expect(smallest[1].integers == [0, 2, 3, 1, 4])
        let unique = try Self.run("Unique", [x], outputs: 4)
        #expect(unique[1].integers == [0, 2, 1])
        #expect(unique[2].integers == [0, 2, 1, 1, 2])
        #expect(unique[3].integers == [1, 2, 2])
    }

    @Test func `nothing is chosen from nothing`() throws {
        let empty = try tensor([0, 3], [])
        #expect(try Self.run("NonZero", [empty])[0].shape == Shape([2, 0]))
        #expect(try Self.run("Unique", [empty])[0].shape == Shape([0]))
        #expect(try Self.run("Unique", ["axis": .integer(1)], [empty])[0].shape == Shape([0, 1]))
        #expect(
            try Self.run("Compress", ["axis": .integer(0)], [empty, tensor([0], [], .bool)])[0].shape
                == Shape([0, 3]))
        #expect(try Self.run("TopK", [empty, tensor([1], [2], .int64)])[0].shape == Shape([0, 2]))
    }

    @Test func `a scalar that is not zero has one index of no numbers`() throws {
        #expect(try Self.run("NonZero", [tensor([], [5])])[0].shape == Shape([0, 1]))
        #expect(try Self.run("NonZero", [tensor([], [0])])[0].shape == Shape([0, 0]))
    }

    @Test func `an axis that is longer than any array is not walked along`() throws {
        let huge = ExactTensor(reals: [], shape: try Shape([1 << 40, 0]), elementType: .float32)
        #expect(throws: GraphError.self) { try Self.run("Unique", ["axis": .integer(0)], [huge]) }
    }

    @Test func `a condition past the end is refused when it holds`() throws {
        let x = try tensor([2], [1, 2])
        #expect(try Self.run("Compress", [x, tensor([3], [0, 1, 0], .bool)])[0].reals == [2])
        let error = #expect(throws: GraphError.self) {
            try Self.run("Compress", [x, tensor([3], [0, 0, 1], .bool)])
        }
        #expect(error?.description == "Compress: the condition holds at 2, the axis has an extent of 2")
    }

    @Test func `a linear update past the cache's end is refused, a circular one goes on at the beginning`()
        throws
    {
        let (cache, update) = (try tensor([1, 3, 1], [1, 2, 3]), try tensor([1, 2, 1], [8, 9]))
        let begin = try tensor([1], [2], .int64)
        let error = #expect(throws: GraphError.self) {
            try Self.run("TensorScatter", opset: 24, [cache, update, begin])
        }
        #expect(
            error?.description == "TensorScatter: an update of 2 begins at 2, past_cache has 3 elements")
        let circular = try Self.run(
            "TensorScatter", opset: 24, ["mode": .string("circular")], [cache, update, begin])
        #expect(circular[0].reals == [9, 2, 8])
    }

    @Test func `a length outside the time axis is refused`() throws {
        for length in [-1.0, 3] {
            let error = #expect(throws: GraphError.self) {
                try Self.run(
                    "ReverseSequence", [tensor([2, 1], [1, 2]), tensor([1], [length], .int64)])
            }
            #expect(
                error?.description
                    == "ReverseSequence: a sequence has a length of \(Int(length)), the time axis has 2 elements"
            )
        }
    }

    @Test func `shapes follow symbols`() throws {
        func inferred(
            _ type: String, attributes: [String: Attribute] = [:], _ inputs: [ValueInfo]
        ) throws -> String {
            try makeNode(type, opset: 18, attributes, inputs: inputs.count).operation
                .inferOutputs(inputs, outputCount: 1)[0].description
        }
        #expect(try inferred("NonZero", [info("N", 3)]) == "int64[2,?]")
        #expect(try inferred("TopK", [info("N", 3), vector(2)]) == "float32[N,2]")
        #expect(try inferred("TopK", [info("N", "M"), vector("K")]) == "float32[N,K]")
        #expect(try inferred("OneHot", [info("N"), vector(4), info(2)]) == "float32[N,4]")
        #expect(
            try inferred(
                "Compress", attributes: ["axis": .integer(1)], [info("N", 3), ValueInfo(.bool, [3])])
                == "float32[N,?]")
        #expect(try inferred("GatherND", [info(5, "C"), ValueInfo(.int64, ["N", 1])]) == "float32[N,C]")
        #expect(
            try inferred("GatherElements", [info("N", 3), ValueInfo(.int64, ["N", 2])]) == "float32[N,2]")
        #expect(
            try inferred("ScatterND", [info("N", 3), ValueInfo(.int64, ["M", 1]), info("M", 3)])
                == "float32[N,3]")
        #expect(try inferred("Unique", attributes: ["axis": .integer(0)], [info("N", 3)]) == "float32[?,3]")
    }
}
