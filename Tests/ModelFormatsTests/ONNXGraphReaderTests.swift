import Graph
import ModelFormats
import Tensors
import TestSupport
import Testing

@Suite struct ONNXGraphReaderTests {
    let folder = TemporaryFolder()

    static let weight = WireMessage.initializer("w", dims: [2], floats: [1, 2])

    // MARK: - Header

    @Test(arguments: [2, 15, -1]) func `refuses an IR version out of range`(_ version: Int64) {
        #expect(
            folder.refusal(.model([Self.weight, .output("w")], irVersion: version))
                == "IR version \(version) is not supported, expected 3 to 14")
    }

    @Test(arguments: [3, 14]) func `reads the first and the last IR version`(_ version: Int64) throws {
        _ = try folder.load(.model([Self.weight, .output("w")], irVersion: version))
    }

    @Test(arguments: [6, 27, -1, .max]) func `refuses an operator set version out of range`(_ version: Int64)
    {
        #expect(
            folder.refusal(.model([Self.weight, .output("w")], opset: version))
                == "operator set version \(version) is not supported, expected 7 to 26")
    }

    @Test(arguments: [7, 26]) func `reads the first and the last operator set version`(_ version: Int64)
        throws
    {
        #expect(try folder.load(.model([Self.weight, .output("w")], opset: version)).opset == Int(version))
    }

    @Test func `takes the default domain under both its names and ignores others`() throws {
        let graph = try folder.load(
            WireMessage(
                .number(1, 8), .message(8, .text(1, "ai.onnx.ml"), .number(2, 99)),
                .message(8, .text(1, "ai.onnx"), .number(2, 13)),
                .data(7, WireMessage(Self.weight, .output("w")).bytes)))
        #expect(graph.opset == 13)
    }

    @Test func `refuses two versions of the default operator set`() {
        #expect(
            folder.refusal(
                WireMessage(
                    .model([Self.weight, .output("w")]), .message(8, .text(1, "ai.onnx"), .number(2, 9))))
                == "imports versions 9, 17 of ONNX's default operator set, expected one")
    }

    @Test func `refuses a model without an operator set`() {
        #expect(
            folder.refusal(
                WireMessage(.number(1, 8), .data(7, WireMessage(Self.weight, .output("w")).bytes)))
                == "imports no version of ONNX's default operator set")
    }

    @Test func `refuses an empty file and a file without a graph`() {
        let reason = "not a readable ONNX model: it holds no graph"
        #expect(folder.refusal(WireMessage()) == reason)
        #expect(folder.refusal(.number(1, 8)) == reason)
    }

    // MARK: - Values

    @Test func `reads known, symbolic and unknown dimensions`() throws {
        let graph = try folder.load(
            .model([
                .input(
                    "x",
                    dims: [
                        .text(2, "N"), .number(1, 3), .number(1, -1), .text(2, ""), .text(2, "?"),
                        WireMessage(),
                    ]),
                .input("scalar", dims: []), .input("any"), .output("x"),
            ]))
        #expect(graph.inputs.map(\.name) == ["x", "scalar", "any"])
        #expect(
            graph.inputs[0].info.dimensions == [.symbol("N"), .known(3)] + [
                .unknown, .unknown, .unknown, .unknown,
            ])
        #expect(graph.inputs[1].info.dimensions == [])
        #expect(graph.inputs[2].info.dimensions == nil)
    }

    @Test func `keeps an initializer among the inputs fixed before IR version 4`() throws {
        let graph = try folder.load(.model([.input("w"), Self.weight, .output("w")], irVersion: 3))
        #expect(graph.inputs.isEmpty && graph.overridableInputs.isEmpty)
        #expect(graph.fixedConstant("w") != nil)
    }

    @Test func `lets callers replace an initializer among the inputs from IR version 4`() throws {
        let graph = try folder.load(.model([.input("w"), Self.weight, .output("w")], irVersion: 4))
        #expect(graph.inputs.isEmpty && graph.overridableInputs == ["w"])
        #expect(graph.fixedConstant("w") == nil)
    }

    @Test(arguments: [
        ("value", 4, WireMessage.message(5, .number(1, 1), .number(2, 7), .packed(7, [5])), "int64[1]"),
        ("value_float", 1, WireMessage(bytes: [0x15, 0, 0, 0x80, 0x3f]), "float32[]"),
        ("value_float", 1, WireMessage(), "float32[]"),
        ("value_floats", 6, .data(7, [0, 0, 0x80, 0x3f]), "float32[1]"),
        ("value_int", 2, .number(3, 5), "int64[]"),
        ("value_ints", 7, WireMessage(.number(8, 5), .number(8, 6)), "int64[2]"),
    ]) func `makes a constant of a Constant node`(
        _ name: String, _ type: Int64, _ value: WireMessage, _ expected: String
    ) throws {
        let graph = try folder.load(
            .model([
                .node(
                    "Constant", inputs: [], outputs: ["c"],
                    attributes: [.attribute(name, type: type, value)]),
                .output("c", type: 0),
            ]))
        #expect(graph.nodes.isEmpty)
        #expect(graph.constants["c"].map { "\($0.elementType)\($0.shape)" } == expected)
    }

    // MARK: - Refusals

    struct Malformation: Sendable, CustomTestStringConvertible {
        let reason: String
        let graph: [WireMessage]
        var testDescription: String { reason }

        init(_ reason: String, _ graph: WireMessage...) {
            self.reason = reason
            self.graph = graph
        }

        static let all: [Malformation] = [
            Malformation("the graph has no outputs", weight),
            Malformation("graph output 'w' is listed twice", weight, .output("w"), .output("w")),
            Malformation("a graph output has no name", weight, .output("")),
            Malformation("a graph input has no name", .input(""), weight, .output("w")),
            Malformation("the value 'x' is defined twice", .input("x"), .input("x"), .output("x")),
            Malformation("the value 'w' is defined twice", weight, weight, .output("w")),
            Malformation("initializer 0 has no name", .initializer("", dims: [1], floats: [1]), .output("w")),
            Malformation(
                "the graph output 'y' is no graph input, no initializer and no node's output", weight,
                .output("y")),
            Malformation(
                "graph input 'x' is not declared as a tensor", .message(11, .text(1, "x")), .output("x")),
            Malformation(
                "graph input 'x': element type string is not supported", .input("x", type: 8), .output("x")),
            Malformation(
                "graph input 'x': element type number 0 is not supported", .input("x", type: 0), .output("x")),
            Malformation(
                "graph input 'x': shape [-7] has a negative dimension", .input("x", dims: [.number(1, -7)]),
                .output("x")),
            Malformation(
                "graph input 'x': shape [4611686018427387904, 2] has more elements than can be addressed",
                .input("x", dims: [.number(1, 1 << 62), .number(1, 2)]), .output("x")),
            Malformation(
                "tensor 'w': is float32, as a graph input it is declared int64[…]", .input("w", type: 7),
                weight,
                .output("w")),
            Malformation(
                "tensor 's': is sparse and lacks its values or its indices",
                .message(15, .message(1, .text(8, "s"))),
                weight,
                .output("w")),
            Malformation(
                "unsupported operators: (unnamed), Nothing, com.example.Relu, foldserve.Affine",
                .node("Nothing", inputs: [], outputs: ["a"]),
                .node("Relu", inputs: ["w"], outputs: ["c"], domain: "com.example"),
                .node("Nothing", inputs: [], outputs: ["d"], domain: "ai.onnx"),
                .node("Affine", inputs: ["w"], outputs: ["e"], domain: "foldserve"),
                .node("", inputs: [], outputs: ["f"]), weight, .output("w")),
            Malformation(
                "a Constant node has 0 outputs, expected 1 with a name",
                .node("Constant", inputs: [], outputs: [], attributes: [.attribute("value_int", type: 2)]),
                weight,
                .output("w")),
            Malformation(
                "the value 'w' is defined twice", constant("value_int", type: 2), weight, .output("w")),
            Malformation(
                "the value 'w' is defined twice", constant("value_int", type: 2), .input("w"), .output("w")),
            Malformation(
                "node 'w' (Constant): Constant: attribute 'value' must be the only attribute",
                .node("Constant", inputs: [], outputs: ["w"]), .output("w")),
            Malformation(
                "node 'w' (Constant): Constant: attribute 'value_string' of kind string is not supported",
                constant("value_string", type: 3), .output("w")),
            Malformation(
                "tensor 'w': is sparse and lacks its values or its indices",
                constant("sparse_value", type: 11), .output("w")),
            Malformation(
                "node 'w' (Constant): Constant: attribute 'value' holds no tensor",
                constant("value", type: 4),
                .output("w")),
            Malformation(
                "tensor 'w.value': float32 tensor of shape [2] needs 8 bytes, got 0",
                constant("value", type: 4, .message(5, .number(1, 2), .number(2, 1))), .output("w")),
            Malformation(
                "node 'w' (Constant): Constant: attribute 'value_int' has no type",
                constant("value_int", type: 0),
                .output("w")),
            Malformation(
                "node 'w' (Constant): Constant: attribute 'value_int' has type 1, and its value in i",
                constant("value_int", type: 1, .number(3, 5)), .output("w")),
            Malformation(
                "node 'w' (Constant): Constant: attribute 'value_int' is given twice",
                .node(
                    "Constant", inputs: [], outputs: ["w"],
                    attributes: [.attribute("value_int", type: 2), .attribute("value_int", type: 2)]),
                .output("w")),
            Malformation(
                "node 'w' (Constant): Constant: attribute 'value_int' refers to a function's attribute outside of a "
                    + "function", constant("value_int", type: 2, .text(21, "alpha")), .output("w")),
        ]

        static func constant(_ name: String, type: Int64, _ value: WireMessage...) -> WireMessage {
            .node(
                "Constant", inputs: [], outputs: ["w"],
                attributes: [.attribute(name, type: type, WireMessage(bytes: value.flatMap(\.bytes)))])
        }
    }

    @Test(arguments: Malformation.all) func `refuses with a reason`(_ malformation: Malformation) {
        #expect(folder.refusal(.model(malformation.graph)) == malformation.reason)
    }

    // MARK: - Limits

    @Test func `reads as many inputs as the limit and refuses one more`() throws {
        let inputs = (0..<4_096).map { WireMessage.input("x\($0)") }
        #expect(try folder.load(.model(inputs + [.output("x0")])).inputs.count == 4_096)
        #expect(
            folder.refusal(.model(inputs + [.input("y"), .output("y")]))
                == "graph inputs: 4097 is over the limit of 4096")
    }

    @Test func `stops at more attributes than a node may have`() {
        let attributes = (0..<129).map { WireMessage.attribute("a\($0)", type: 2) }
        #expect(
            folder.refusal(
                .model([.node("Constant", inputs: [], outputs: ["c"], attributes: attributes), .output("c")]))?
                .contains("'attribute' fields: 129 is over the limit of 128 at byte") == true)
    }

    @Test func `stops at more messages than a file may have`() {
        let empty = WireMessage(bytes: [[UInt8]](repeating: [0x0a, 0], count: 100_001).flatMap { $0 })
        #expect(
            folder.refusal(.model([empty]))?
                .contains("'node' fields: 100001 is over the limit of 100000 at byte") == true)
        let graphs = WireMessage(bytes: [[UInt8]](repeating: [0x3a, 0], count: 1_000_000).flatMap { $0 })
        #expect(
            folder.refusal(graphs)
                == "not a readable ONNX model: messages: 1000001 is over the limit of 1000000 at byte 2000000"
        )
    }
}
