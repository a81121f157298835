import Foundation
import Graph
import ModelFormats
import Tensors
import TestSupport
import Testing

@Suite struct ONNXSubgraphTests {
    let folder = TemporaryFolder()

    private static let interface: [WireMessage] = [
        .input("x", dims: [.number(1, 2)]), .input("c", type: 9, dims: []), .output("y"),
        .initializer("w", dims: [2], floats: [1, 2]),
    ]

    private static func branch(_ name: String, _ type: String, _ inputs: [String]) -> WireMessage {
        .graph(name, .node(type, inputs: inputs, outputs: ["h"]), .output("h"))
    }

    private static func choice(
        _ attributes: [WireMessage], inputs: [String] = ["c"], outputs: [String] = ["y"], type: String = "If"
    ) -> WireMessage { .node(type, inputs: inputs, outputs: outputs, attributes: attributes) }

    // MARK: - Captures

    @Test func `a node reads what its subgraphs capture behind its own inputs`() throws {
        let graph = try folder.load(
            .model(
                Self.interface + [
                    Self.choice([
                        Self.branch("then_branch", "Relu", ["x"]),
                        Self.branch("else_branch", "Mul", ["x", "w"]),
                    ])
                ]))
        #expect(graph.nodes[0].inputs == ["c", "x", "w"])
        #expect(graph.nodes[0].ownInputs == ["c"])
        #expect(graph.nodes[0].subgraphs.map(\.captures) == [["x", "w"], ["x", "w"]])
        #expect(graph.useCounts["w"] == 1)
    }

    @Test func `captures reach through the levels between`() throws {
        let inner = Self.choice(
            [Self.branch("then_branch", "Mul", ["x", "w"]), Self.branch("else_branch", "Relu", ["x"])],
            outputs: ["h"])
        let graph = try folder.load(
            .model(
                Self.interface + [
                    Self.choice([
                        .graph("then_branch", inner, .output("h")),
                        .graph("else_branch", .initializer("h", dims: [2], floats: [5, 6]), .output("h")),
                    ])
                ]))
        #expect(
            graph.nodes[0].inputs == ["c", "c", "x", "w"] || graph.nodes[0].inputs == ["c", "c", "w", "x"])
    }

    @Test func `a branch may define what the other one captures`() throws {
        let graph = try folder.load(
            .model(
                Self.interface + [
                    Self.choice([
                        Self.branch("then_branch", "Mul", ["x", "w"]),
                        .graph("else_branch", .initializer("w", dims: [2], floats: [5, 6]), .output("w")),
                    ])
                ]))
        let x = ExactTensor(Tensor([Float(3), 4]))
        for (condition, expected) in [(Int64(1), [3.0, 8]), (0, [5, 6])] {
            let c = ExactTensor(integers: [condition], shape: .scalar, elementType: .bool)
            let results = try Evaluator(rounding: .declared).run(graph, inputs: ["x": x, "c": c])
            #expect(results["y"]?.reals == expected)
        }
    }

    @Test func `a branch may give back a captured value`() throws {
        let graph = try folder.load(
            .model(
                Self.interface + [
                    Self.choice([
                        .graph("then_branch", .output("x")), Self.branch("else_branch", "Relu", ["w"]),
                    ])
                ]))
        #expect(graph.nodes[0].inputs == ["c", "w", "x"])
    }

    // MARK: - Writing

    @Test func `writes captures under the names that they have by then`() throws {
        var graph = try folder.load(
            .model(
                Self.interface + [
                    .node("Neg", inputs: ["x"], outputs: ["n"]),
                    Self.choice([
                        Self.branch("then_branch", "Mul", ["n", "w"]),
                        Self.branch("else_branch", "Relu", ["n"]),
                    ]),
                ]))
        // The outer name becomes one that the branches use for values of their own.
        graph = graph.renamingNodeValues { $0 == "n" ? "h" : $0 }
        let path = folder.path + "/written.onnx"
        try ONNXWriter().write(graph, to: path)
        let written = try ONNXFormat().load(path: path)
        #expect(written.nodes[1].inputs == ["c", "h", "w"])
        let inputs = [
            "x": ExactTensor(Tensor([Float(3), -4])),
            "c": ExactTensor(integers: [1], shape: .scalar, elementType: .bool),
        ]
        #expect(try Evaluator(rounding: .declared).run(written, inputs: inputs)["y"]?.reals == [-3, 8])
    }

    // MARK: - Refusals

    @Test func `names the missing operators of all levels in one error`() {
        #expect(
            folder.refusal(
                WireMessage(
                    .model(
                        Self.interface + [
                            .node("Absent", inputs: ["x"], outputs: ["a"]),
                            .node("Own", inputs: ["x"], outputs: ["b"], domain: "own"),
                            Self.choice([
                                Self.branch("then_branch", "Missing", ["x"]),
                                .graph(
                                    "else_branch",
                                    Self.choice(
                                        [
                                            Self.branch("then_branch", "Gone", ["x"]),
                                            Self.branch("else_branch", "Relu", ["x"]),
                                        ], outputs: ["h"]), .output("h")),
                            ]),
                        ]),
                    .function(
                        "Own", inputs: ["a"], outputs: ["b"],
                        nodes: [.node("Lost", inputs: ["a"], outputs: ["b"])]),
                    .function(
                        "Uncalled", inputs: ["a"], outputs: ["b"],
                        nodes: [.node("Unknown", inputs: ["a"], outputs: ["b"])])))
                == "unsupported operators: Absent, Gone, Lost, Missing")
    }

    private static func nested(_ depth: Int) -> WireMessage {
        let inner =
            depth > 1
            ? WireMessage.graph("then_branch", nested(depth - 1), .output("h"))
            : branch("then_branch", "Relu", ["x"])
        return choice([inner, branch("else_branch", "Neg", ["x"])], outputs: ["h"])
    }

    @Test func `reads subgraphs as deep as the limit and refuses one level more`() throws {
        let output = WireMessage.node("Identity", inputs: ["h"], outputs: ["y"])
        _ = try folder.load(.model(Self.interface + [Self.nested(8), output]))
        #expect(
            folder.refusal(.model(Self.interface + [Self.nested(9), output]))?
                .hasPrefix("not a readable ONNX model: nesting of subgraphs: 9 is over the limit of 8")
                == true)
    }

    @Test(arguments: [
        ([], "If: attribute 'else_branch' is missing", "else_branch"),
        (
            [WireMessage.graph("else_branch", .input("a"), .output("a"))],
            "If: a branch has 1 inputs, expected 0", ""
        ),
        (
            [.graph("else_branch", .output("x"), .output("w"))],
            "If: the branches have 1 and 2 outputs", ""
        ),
        (
            [.attribute("else_branch", type: 5)],
            "If: attribute 'else_branch' holds no graph", ""
        ),
    ])
    func `refuses an If whose branches do not fit`(
        _ branches: [WireMessage], _ reason: String, _ missing: String
    ) {
        let refusal = folder.refusal(
            .model(
                Self.interface + [Self.choice([Self.branch("then_branch", "Relu", ["x"])] + branches)]))
        #expect(refusal == "node 'y' (If): " + reason)
    }

    @Test func `refuses a capture that nobody defines`() {
        #expect(
            folder.refusal(
                .model(
                    Self.interface + [
                        Self.choice([
                            Self.branch("then_branch", "Relu", ["nowhere"]),
                            Self.branch("else_branch", "Relu", ["x"]),
                        ])
                    ]))
                == "node 'y': its input 'nowhere' is no graph input, no initializer and no node's output")
    }

    @Test func `refuses nodes of a subgraph before what they read`() {
        #expect(
            folder.refusal(
                .model(
                    Self.interface + [
                        Self.choice([
                            .graph(
                                "then_branch", .node("Relu", inputs: ["b"], outputs: ["a"]),
                                .node("Relu", inputs: ["x"], outputs: ["b"]), .output("a")),
                            Self.branch("else_branch", "Relu", ["x"]),
                        ])
                    ])) == "node 'y' (If): node 'a' (Relu): Relu: comes before what it reads")
    }

    @Test func `a branch's result may have an empty type`() throws {
        let untyped = WireMessage.message(12, .text(1, "h"), .message(2))
        let graph = try folder.load(
            .model(
                Self.interface + [
                    Self.choice([
                        .graph("then_branch", .node("Neg", inputs: ["x"], outputs: ["h"]), untyped),
                        Self.branch("else_branch", "Relu", ["x"]),
                    ])
                ]))
        #expect(graph.nodes.map(\.type) == ["If"])
    }

    @Test func `refuses a sequence among a body's states`() {
        // A type that is a sequence has no tensor type.
        let sequence = WireMessage.message(11, .text(1, "s"), .message(2, .data(4, [])))
        #expect(
            folder.refusal(
                .model(
                    Self.interface + [
                        Self.choice(
                            [
                                .graph(
                                    "body", .input("i", type: 7, dims: []), .input("go", type: 9, dims: []),
                                    sequence, .output("go"), .output("s"))
                            ], inputs: ["", "c", "x"], type: "Loop")
                    ])) == "subgraph input 's' is not declared as a tensor")
    }

    @Test func `refuses a body that does not fit its operator`() {
        #expect(
            folder.refusal(
                .model(
                    Self.interface + [
                        Self.choice([.graph("body", .output("c"))], inputs: ["", "c"], type: "Loop")
                    ]))
                == "node 'y' (Loop): Loop: the body has 0 inputs and 1 outputs, expected 2 + N and 1 + N + K")
        let body = WireMessage.graph("body", .input("a"), .output("a"))
        #expect(
            folder.refusal(
                .model(Self.interface + [Self.choice([body], inputs: ["x"], type: "Scan")]))?
                .hasSuffix("where M, num_scan_inputs, is 0") == true)
        #expect(
            folder.refusal(
                .model(Self.interface + [Self.choice([body], inputs: ["x"], type: "Scan")], opset: 8))
                == "node 'y' (Scan): Scan: of operator set 8 is not supported, expected 9 or later")
    }
}
