import Graph
import Tensors
import Testing

/// What follows from shapes that are known in part.
@Suite struct ShapeInferenceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let type: String
        var opset = 17
        var attributes: [String: Attribute] = [:]
        let inputs: [ValueInfo?]
        let dimensions: [Dimension]?
        var elements: [Dimension]?

        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "Conv keeps the batch", type: "Conv",
            attributes: ["pads": .integers([1, 1, 1, 1]), "strides": .integers([2, 2])],
            inputs: [info("N", 3, 224, 224), info(64, 3, 7, 7)], dimensions: ["N", 64, 110, 110]),
        Case(
            name: "Conv of stride 1 keeps symbolic extents that its pads restore", type: "Conv",
            attributes: ["pads": .integers([1, 1, 1, 1])],
            inputs: [info("N", 3, "H", "W"), info(64, 3, 3, 3)], dimensions: ["N", 64, "H", "W"]),
        Case(
            name: "Conv with SAME_UPPER and stride 1 keeps symbolic extents", type: "Conv",
            attributes: ["auto_pad": .string("SAME_UPPER")],
            inputs: [info("N", 3, "H", "W"), info(64, 3, 4, 5)], dimensions: ["N", 64, "H", "W"]),
        Case(
            name: "Conv of stride 2 loses symbolic extents", type: "Conv",
            attributes: ["strides": .integers([2, 2])],
            inputs: [info("N", 3, "H", 9), info(64, 3, 3, 3)], dimensions: ["N", 64, "?", 4]),
        Case(
            name: "Conv takes what it can from the weight alone", type: "Conv",
            inputs: [ValueInfo(.float32, nil), info(64, 3, 3, 3)], dimensions: ["?", 64, "?", "?"]),
        Case(
            name: "ConvTranspose", type: "ConvTranspose", attributes: ["strides": .integers([2, 2])],
            inputs: [info("N", 8, 7, "W"), info(8, 5, 2, 2)], dimensions: ["N", 5, 14, "?"]),
        Case(
            name: "MaxPool keeps the batch", type: "MaxPool",
            attributes: [
                "kernel_shape": .integers([3, 3]), "strides": .integers([2, 2]), "ceil_mode": .integer(1),
            ], inputs: [info("N", 64, 112, 112)], dimensions: ["N", 64, 56, 56]),
        Case(
            name: "GlobalAveragePool of unknown extents", type: "GlobalAveragePool",
            inputs: [info("N", 64, "H", "W")], dimensions: ["N", 64, 1, 1]),
        Case(
            name: "Flatten of extents 1 keeps a symbol", type: "Flatten", inputs: [info("N", 512, 1, 1)],
            dimensions: ["N", 512]),
        Case(
            name: "Flatten cannot multiply symbols", type: "Flatten", inputs: [info("N", 512, "H", 2)],
            dimensions: ["N", "?"]),
        Case(
            name: "Reshape finds -1 beside a kept symbol", type: "Reshape",
            inputs: [info("N", 512, 7, 7), vector(0, -1)], dimensions: ["N", 25088]),
        Case(
            name: "Reshape finds -1 beside a symbol of its own", type: "Reshape",
            inputs: [info("N", 116, 28, 28), vector("N", 2, 58, -1, 28)], dimensions: ["N", 2, 58, 28, 28]),
        Case(
            name: "Reshape finds that -1 is the batch", type: "Reshape",
            inputs: [info("N", 16, 5, 5), vector(-1, 400)], dimensions: ["N", 400]),
        Case(
            name: "Reshape with an unknown element", type: "Reshape",
            inputs: [info("N", 16, 5, 5), vector("?", 400)], dimensions: ["?", 400]),
        Case(
            name: "MatMul broadcasts the batch", type: "MatMul",
            inputs: [info("N", 56, 56, 96), info(96, 384)],
            dimensions: ["N", 56, 56, 384]),
        Case(
            name: "Gemm keeps the batch", type: "Gemm", attributes: ["transB": .integer(1)],
            inputs: [info("N", 512), info(1000, 512), info(1000)], dimensions: ["N", 1000]),
        Case(
            name: "Add keeps a symbol against 1", type: "Add", inputs: [info("N", 3, 1), info(1, 3, "W")],
            dimensions: ["N", 3, "W"]),
        Case(
            name: "Add of two symbols is unknown", type: "Add", inputs: [info("N"), info("M")],
            dimensions: ["?"]),
        Case(
            name: "Concat adds known extents", type: "Concat", attributes: ["axis": .integer(1)],
            inputs: [info("N", 64, 7), info("N", 32, 7), info("?", 1, "?")], dimensions: ["N", 97, 7]),
        Case(
            name: "Shape gives symbols as elements", type: "Shape", inputs: [info("N", 3, 224)],
            dimensions: [3],
            elements: ["N", 3, 224]),
        Case(
            name: "Gather takes a followed element", type: "Gather",
            inputs: [vector("N", 3, 224), ValueInfo(constant: Tensor([Int64(-3)]))], dimensions: [1],
            elements: ["N"]),
        Case(
            name: "Unsqueeze keeps followed elements", type: "Unsqueeze",
            inputs: [ValueInfo(.int64, [], elements: ["N"]), vector(0)], dimensions: [1], elements: ["N"]),
        Case(
            name: "Squeeze keeps followed elements", type: "Squeeze", inputs: [vector("N"), vector(0)],
            dimensions: [], elements: ["N"]),
        Case(
            name: "Concat joins followed elements", type: "Concat", attributes: ["axis": .integer(0)],
            inputs: [vector("N"), vector(2, 58)], dimensions: [3], elements: ["N", 2, 58]),
        Case(
            name: "Slice takes followed elements", type: "Slice",
            inputs: [vector("N", 3, "H", 5), vector(2), vector(1000)], dimensions: [2], elements: ["H", 5]),
        Case(
            name: "Cast keeps followed elements", type: "Cast", attributes: ["to": .integer(7)],
            inputs: [vector("N", 3)], dimensions: [2], elements: ["N", 3]),
        Case(
            name: "Mul by 1 keeps a symbol and multiplies what is known", type: "Mul",
            inputs: [vector("N", 3), vector(1, 4)], dimensions: [2], elements: ["N", 12]),
        Case(
            name: "Div of a symbol is unknown", type: "Div", inputs: [vector("N", 7), vector(2)],
            dimensions: [2],
            elements: ["?", 3]),
        Case(
            name: "Slice of a whole symbolic axis keeps it", type: "Slice",
            inputs: [info("N", 10), vector(0, 2), vector(.known(.max), 5)], dimensions: ["N", 3]),
        Case(
            name: "Expand to a followed shape", type: "Expand", inputs: [info(64, 1), vector("N", 64, 7)],
            dimensions: ["N", 64, 7]),
        Case(
            name: "ConstantOfShape of a followed shape", type: "ConstantOfShape", inputs: [vector("N", 4)],
            dimensions: ["N", 4]),
        Case(
            name: "Resize by scales keeps the batch", type: "Resize",
            inputs: [
                info("N", 3, 10, "W"), nil, ValueInfo(constant: Tensor([Float(1), 1, 2, 2])),
            ], dimensions: ["N", 3, 20, "?"]),
        Case(
            name: "ReduceMean keeps other axes", type: "ReduceMean",
            attributes: ["axes": .integers([2, -1]), "keepdims": .integer(0)],
            inputs: [info("N", 3, "H", 5)], dimensions: ["N", 3]),
        Case(
            name: "ReduceMean over axes not yet known", type: "ReduceMean", opset: 18,
            inputs: [info("N", 3), ValueInfo(.int64, [1])], dimensions: ["?", "?"]),
        Case(
            name: "BatchNormalization learns the channels", type: "BatchNormalization",
            inputs: [info("N", "?", 7), info(8), info(8), info("?"), info(8)], dimensions: ["N", 8, 7]),
        Case(
            name: "Transpose moves symbols", type: "Transpose",
            attributes: ["perm": .integers([0, 2, 3, 1])],
            inputs: [info("N", 3, "H", "W")], dimensions: ["N", "H", "W", 3]),
        Case(
            name: "DepthToSpace", type: "DepthToSpace", attributes: ["blocksize": .integer(2)],
            inputs: [info("N", 8, 3, "W")], dimensions: ["N", 2, 6, "?"]),
        Case(
            name: "Tile repeats known extents", type: "Tile", inputs: [info("N", 3), vector(1, 4)],
            dimensions: ["N", 12]),
    ]

    @Test(arguments: cases) func `follows`(_ item: Case) throws {
        let node = try makeNode(
            item.type, opset: item.opset, item.attributes, inputs: item.inputs.count)
        let result = try #require(try node.operation.inferOutputs(item.inputs, outputCount: 1).first)
        #expect(result.dimensions == item.dimensions)
        if let elements = item.elements { #expect(result.elements == elements) }
    }

    @Test func `a channel shuffle with a symbolic batch is inferred to its end`() throws {
        func node(
            _ type: String, _ inputs: [String?], _ output: String, _ attributes: [String: Attribute] = [:]
        )
            throws -> Node
        {
            try Node(
                name: output, type: type, attributes: attributes, opset: 17, inputs: inputs, outputs: [output]
            )
        }
        let zero = Tensor([Int64(0)])
        let one = try Tensor([Int64(1)], shape: .scalar)
        let graph = try Graph(
            name: "shuffle", opset: 17, inputs: [.init(name: "x", info: info("N", 116, 28, 28))],
            outputs: [.init(name: "y", info: ValueInfo(nil, nil))],
            constants: [
                "zero": zero, "0": try Tensor([Int64(0)], shape: .scalar), "1": one,
                "groups": Tensor([Int64(2)]),
                "2": try Tensor([Int64(2)], shape: .scalar), "rest": Tensor([Int64(28), 28]),
            ],
            nodes: [
                node("Shape", ["x"], "shape"),
                node("Gather", ["shape", "0"], "batch", ["axis": .integer(0)]),
                node("Gather", ["shape", "1"], "channels", ["axis": .integer(0)]),
                node("Div", ["channels", "2"], "half"),
                node("Cast", ["half"], "halfCast", ["to": .integer(7)]),
                node("Unsqueeze", ["batch", "zero"], "batch1"),
                node("Unsqueeze", ["halfCast", "zero"], "half1"),
                node("Concat", ["batch1", "groups", "half1", "rest"], "target", ["axis": .integer(0)]),
                node("Reshape", ["x", "target"], "split"),
                node("Transpose", ["split"], "moved", ["perm": .integers([0, 2, 1, 3, 4])]),
                node("Shape", ["x"], "again"),
                node("Reshape", ["moved", "again"], "y"),
            ])
        let values = try graph.inferValues()
        #expect(values["target"]?.elements == ["N", 2, 58, 28, 28])
        #expect(values["moved"]?.dimensions == ["N", 58, 2, 28, 28])
        #expect(values["y"]?.dimensions == ["N", 116, 28, 28])
        let narrowed = try graph.inferValues(inputShapes: ["x": Shape([4, 116, 28, 28])])
        #expect(narrowed["y"]?.shape == [4, 116, 28, 28])
    }

    @Test func `shape arithmetic by way of floats is followed`() throws {
        let graph = try Graph(
            name: "floats", opset: 17, inputs: [.init(name: "x", info: info("N", 3, 7))],
            outputs: [.init(name: "y", info: ValueInfo(nil, nil))],
            constants: ["2": Tensor([Int64(2)]), "scale": Tensor([Float(1.5)])],
            nodes: [
                Node(name: "a", type: "Shape", opset: 17, inputs: ["x"], outputs: ["shape"]),
                Node(
                    name: "b", type: "Gather", attributes: ["axis": .integer(0)], opset: 17,
                    inputs: ["shape", "2"],
                    outputs: ["extent"]),
                Node(
                    name: "c", type: "Cast", attributes: ["to": .integer(1)], opset: 17, inputs: ["extent"],
                    outputs: ["float"]),
                Node(name: "d", type: "Mul", opset: 17, inputs: ["float", "scale"], outputs: ["scaled"]),
                Node(name: "e", type: "Floor", opset: 17, inputs: ["scaled"], outputs: ["floor"]),
                Node(
                    name: "f", type: "Cast", attributes: ["to": .integer(7)], opset: 17, inputs: ["floor"],
                    outputs: ["size"]),
                Node(name: "g", type: "ConstantOfShape", opset: 17, inputs: ["size"], outputs: ["y"]),
            ])
        #expect(try graph.inferValues()["y"]?.shape == [10])
    }
}
