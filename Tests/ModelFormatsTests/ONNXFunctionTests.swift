import Graph
import ModelFormats
import Tensors
import TestSupport
import Testing

@Suite struct ONNXFunctionTests {
    let folder = TemporaryFolder()

    private static func model(
        _ nodes: [WireMessage], _ functions: WireMessage..., opset: Int64 = 17
    ) -> WireMessage {
        let graph = [WireMessage.input("x", dims: [.number(1, 2)]), .output("y")] + nodes
        return WireMessage(bytes: WireMessage.model(graph, opset: opset).bytes + functions.flatMap(\.bytes))
    }

    private static func call(
        _ name: String, _ inputs: [String] = ["x"], _ outputs: [String] = ["y"],
        _ attributes: [WireMessage] = [], overload: String = ""
    ) -> WireMessage {
        let node = WireMessage.node(
            name, inputs: inputs, outputs: outputs, domain: "own", attributes: attributes)
        guard !overload.isEmpty else { return node }
        return .data(1, Array(node.bytes.dropFirst(2)) + WireMessage.text(8, overload).bytes)
    }

    private func result(_ message: WireMessage) throws -> [Double]? {
        let x = ExactTensor(Tensor([Float(-2), 4]))
        return try Evaluator(rounding: .declared).run(folder.load(message), inputs: ["x": x])["y"]?.reals
    }

    private static let negation = WireMessage.function(
        "F", inputs: ["a"], outputs: ["b"], nodes: [.node("Neg", inputs: ["a"], outputs: ["b"])])

    // MARK: - Expansion

    @Test func `puts the function's nodes in the place of its call`() throws {
        let function = WireMessage.function(
            "F", inputs: ["a"], outputs: ["b"],
            nodes: [
                .node("Neg", inputs: ["a"], outputs: ["x"], name: "first"),
                .node("Relu", inputs: ["x"], outputs: ["b"]),
            ])
        let graph = try folder.load(
            Self.model([Self.call("F", ["x"], ["h"]), Self.call("F", ["h"], ["y"])], function))
        #expect(graph.nodes.map(\.type) == ["Neg", "Relu", "Neg", "Relu"])
        #expect(graph.nodes.map(\.name) == ["h/first", "h/b", "y/first", "y/b"])
        #expect(graph.nodes.map(\.outputs) == [["h/x"], ["h"], ["y/x"], ["y"]])
    }

    @Test func `takes the function of the call's overload`() throws {
        let other = WireMessage.function(
            "F", inputs: ["a"], outputs: ["b"], nodes: [.node("Abs", inputs: ["a"], outputs: ["b"])],
            overload: "o")
        #expect(try result(Self.model([Self.call("F")], Self.negation, other)) == [2, -4])
        #expect(try result(Self.model([Self.call("F", overload: "o")], Self.negation, other)) == [2, 4])
        #expect(
            folder.refusal(Self.model([Self.call("F", overload: "p")], other))
                == "unsupported operators: own.F")
    }

    @Test func `a function takes precedence over the operator of its name`() throws {
        let function = WireMessage.message(
            25, .text(1, "Relu"), .text(4, "a"), .text(5, "b"),
            WireMessage(
                bytes: [UInt8(7 << 3 | 2)]
                    + WireMessage.node("Neg", inputs: ["a"], outputs: ["b"]).bytes.dropFirst()))
        #expect(
            try result(Self.model([.node("Relu", inputs: ["x"], outputs: ["y"])], function)) == [2, -4])
    }

    @Test func `gives a function's attribute to those that refer to it`() throws {
        let nodes = [
            WireMessage.node(
                "LeakyRelu", inputs: ["a"], outputs: ["b"],
                attributes: [.reference("alpha", to: "slope", type: 1)])
        ]
        let plain = WireMessage.function("F", inputs: ["a"], outputs: ["b"], nodes: nodes)
        let standard = WireMessage.function(
            "F", inputs: ["a"], outputs: ["b"], nodes: nodes, defaults: [.real("slope", 0.25)])
        #expect(try result(Self.model([Self.call("F")], standard)) == [-0.5, 4])
        #expect(
            try result(Self.model([Self.call("F", ["x"], ["y"], [.real("slope", 0.5)])], standard)) == [
                -1, 4,
            ])
        // Left out by the caller, without a default: the operator's own default, 0.01.
        #expect(try result(Self.model([Self.call("F")], plain))?.last == 4)
        #expect(
            folder.refusal(
                Self.model(
                    [Self.call("F", ["x"], ["y"], [.attribute("slope", type: 2, .number(3, 1))])], plain))
                == "node 'y' (own.F): F: attribute 'slope' has type 2, expected 1")
    }

    @Test func `outputs that nobody asks for and inputs that are absent`() throws {
        let function = WireMessage.function(
            "F", inputs: ["a", "low", "high"], outputs: ["b", "c", "d"],
            nodes: [
                .node("Clip", inputs: ["a", "low", "high"], outputs: ["b"]),
                .node("Neg", inputs: ["b"], outputs: ["c"]), .node("Abs", inputs: ["b"], outputs: ["d"]),
            ])
        #expect(try result(Self.model([Self.call("F", ["x"], ["", "y"])], function)) == [2, -4])
    }

    @Test func `the nodes of a function are of the function's operator set`() throws {
        // Until operator set 12 Softmax flattens everything from its axis on.
        let function = WireMessage.function(
            "F", inputs: ["a"], outputs: ["b"],
            nodes: [.node("Softmax", inputs: ["a"], outputs: ["b"])], opset: 11)
        let graph = try folder.load(Self.model([Self.call("F")], function))
        #expect(graph.opset == 17 && graph.nodes.map(\.opset) == [11])
        let path = folder.path + "/written.onnx"
        #expect {
            try ONNXWriter().write(graph, to: path)
        } throws: {
            "\($0)".contains("is written for operator set 11 and means something else in 17, the model's")
        }
        let plain = WireMessage.function(
            "F", inputs: ["a"], outputs: ["b"], nodes: [.node("Relu", inputs: ["a"], outputs: ["b"])],
            opset: 11)
        try ONNXWriter().write(folder.load(Self.model([Self.call("F")], plain)), to: path)
        #expect(try ONNXFormat().load(path: path).nodes.map(\.opset) == [17])
    }

    // MARK: - Refusals

    @Test func `refuses functions that call themselves`() {
        let own = WireMessage.function(
            "F", inputs: ["a"], outputs: ["b"], nodes: [Self.call("F", ["a"], ["b"])])
        #expect(
            folder.refusal(Self.model([Self.call("F")], own)) == "a function calls itself: 'own.F', 'own.F'")
        let first = WireMessage.function(
            "F", inputs: ["a"], outputs: ["b"], nodes: [Self.call("G", ["a"], ["b"])])
        let second = WireMessage.function(
            "G", inputs: ["a"], outputs: ["b"], nodes: [Self.call("F", ["a"], ["b"])])
        #expect(
            folder.refusal(Self.model([Self.call("F")], first, second))
                == "a function calls itself: 'own.F', 'own.G', 'own.F'")
    }

    @Test func `refuses what cannot be bound`() {
        #expect(
            folder.refusal(Self.model([Self.call("F", ["x", "x"])], Self.negation))
                == "node 'y' (own.F): F takes 0 to 1 inputs, got 2")
        #expect(
            folder.refusal(Self.model([Self.call("F", ["x"], ["y", "z"])], Self.negation))
                == "node 'y' (own.F): F: has 1 outputs, the node names 2")
        let reading = WireMessage.function(
            "F", inputs: ["a"], outputs: ["b"], nodes: [.node("Neg", inputs: ["x"], outputs: ["b"])])
        #expect(
            folder.refusal(Self.model([Self.call("F")], reading))
                == "node 'y' (own.F): F: reads 'x', which is none of its inputs and no node's output")
        #expect(
            folder.refusal(Self.model([Self.call("F")], Self.negation, Self.negation))
                == "function 'own.F' is defined twice")
        let twice = WireMessage.function("F", inputs: ["a", "a"], outputs: ["b"], nodes: [])
        #expect(
            folder.refusal(Self.model([Self.call("F")], twice))
                == "node 'y' (own.F): the value 'a' is defined twice")
        let future = WireMessage.function("F", inputs: ["a"], outputs: ["b"], nodes: [], opset: 99)
        #expect(
            folder.refusal(Self.model([Self.call("F")], future))
                == "node 'y' (own.F): F: imports operator set version 99, expected one from 7 to 26")
    }

    /// Functions that each call the one before twice.
    private static func doubling(_ depth: Int, leaf: [WireMessage]) -> WireMessage {
        var functions = [WireMessage.function("F0", inputs: ["a"], outputs: ["b"], nodes: leaf)]
        for index in 1...depth {
            functions.append(
                .function(
                    "F\(index)", inputs: ["a"], outputs: ["b"],
                    nodes: [call("F\(index - 1)", ["a"], ["h"]), call("F\(index - 1)", ["h"], ["b"])]))
        }
        return WireMessage(bytes: functions.flatMap(\.bytes))
    }

    @Test func `stops at more nodes than a model may have`() throws {
        let leaf = [WireMessage.node("Relu", inputs: ["a"], outputs: ["b"])]
        #expect(
            try folder.load(Self.model([Self.call("F9")], Self.doubling(9, leaf: leaf))).nodes.count == 512)
        #expect(
            folder.refusal(Self.model([Self.call("F30")], Self.doubling(30, leaf: leaf)))?
                .contains("nodes of expanded functions: 10000") == true)
    }

    @Test func `stops at more calls in one another than the limit`() throws {
        func chain(_ count: Int) -> WireMessage {
            var functions = [Self.negation]
            for index in 1..<count {
                functions.append(
                    .function(
                        "F\(index)", inputs: ["a"], outputs: ["b"],
                        nodes: [Self.call(index == 1 ? "F" : "F\(index - 1)", ["a"], ["b"])]))
            }
            return Self.model([Self.call("F\(count - 1)")], WireMessage(bytes: functions.flatMap(\.bytes)))
        }
        #expect(try folder.load(chain(32)).nodes.count == 1)
        #expect(
            folder.refusal(chain(33))?.contains(
                "calls of functions inside functions: 33 is over the limit of 32")
                == true)
    }
}
