import Graph
import Tensors
import Testing

import enum Graph.Dimension

@Suite struct ControlFlowTests {
    private static func port(_ name: String, _ type: ElementType? = nil) -> Graph.Port {
        Graph.Port(name: name, info: ValueInfo(type, nil))
    }

    private static func node(_ type: String, _ inputs: [String?], _ outputs: [String?]) throws -> Node {
        try Node(
            name: outputs.first??.description ?? type, type: type, opset: 17, inputs: inputs, outputs: outputs
        )
    }

    private static func subgraph(
        _ nodes: [Node], parameters: [String] = [], captures: [String] = [], outputs: [String],
        constants: [String: Tensor] = [:]
    ) throws -> Subgraph {
        let graph = try Graph(
            name: "inner", opset: 17, inputs: (parameters + captures).map { port($0) },
            outputs: outputs.map { port($0) }, constants: constants, nodes: nodes)
        return try Subgraph(graph, captures: captures)
    }

    private static func loop(_ body: Subgraph, inputs: [String?], outputs: [String]) throws -> Node {
        try Node(
            name: "loop", type: "Loop", attributes: ["body": .graph(body)], opset: 17, inputs: inputs,
            outputs: outputs)
    }

    /// Doubles its state for ever.
    private static func endless() throws -> Node {
        try loop(
            subgraph(
                [node("Add", ["s", "s"], ["t"]), node("Identity", ["go"], ["on"])],
                parameters: ["i", "go", "s"],
                outputs: ["on", "t"]), inputs: [nil, nil, "x"], outputs: ["y"])
    }

    private static func choice(_ types: [String], captures: [String] = ["x"]) throws -> Node {
        var branches: [Attribute] = []
        for type in types {
            branches.append(
                .graph(try subgraph([node(type, ["x"], ["h"])], captures: captures, outputs: ["h"])))
        }
        return try Node(
            name: "if", type: "If", attributes: ["then_branch": branches[0], "else_branch": branches[1]],
            opset: 17, inputs: ["c"] + captures, outputs: ["y"])
    }

    // MARK: - Bounds

    @Test func `a loop without an end stops at the budget`() throws {
        let loop = try Self.endless()
        var budget = EvaluationBudget(nodeCount: 300, elementCount: 1 << 20)
        #expect {
            try Evaluator(rounding: .declared).evaluate(
                loop, [nil, nil, tensor([1], [1])], budget: &budget)
        } throws: {
            "\($0)" == "node 'loop' (Loop): nodes evaluated in subgraphs: 303 is over the limit of 300"
        }
    }

    @Test func `a loop over much data stops at the budget`() throws {
        let loop = try Self.endless()
        var budget = EvaluationBudget(nodeCount: 1 << 20, elementCount: 10_000)
        #expect {
            try Evaluator(rounding: .declared).evaluate(
                loop, [nil, nil, tensor([1000], [Double](repeating: 0, count: 1000))], budget: &budget)
        } throws: {
            "\($0)".contains("elements read and written in subgraphs: 12006 is over the limit of 10000")
        }
    }

    @Test(arguments: [2, 3]) func `stacked outputs together are limited`(_ iterations: Int64) throws {
        let loop = try Self.loop(
            Self.subgraph(
                [Self.node("Identity", ["go"], ["on"])], parameters: ["i", "go"], outputs: ["on", "w"],
                constants: ["w": Tensor([Float](repeating: 1, count: 50))]), inputs: ["m", nil],
            outputs: ["y"])
        var budget = EvaluationBudget(nodeCount: 100, elementCount: 1000, stackedElementCount: 100)
        let count = ExactTensor(integers: [iterations], shape: .scalar, elementType: .int64)
        let evaluator = Evaluator(rounding: .declared)
        if iterations == 2 {
            let results = try evaluator.evaluate(loop, [count, nil], budget: &budget)
            #expect(results.map(\.shape.dimensions) == [[2, 50]])
        } else {
            #expect {
                try evaluator.evaluate(loop, [count, nil], budget: &budget)
            } throws: {
                "\($0)".contains("elements of stacked outputs: 150 is over the limit of 100")
            }
        }
    }

    @Test func `the nodes of subgraphs count, those of a loop twice`() throws {
        func graph(_ count: Int) throws -> Graph {
            var nodes = [try Self.node("Identity", ["go"], ["on"])]
            for index in 1..<count { nodes.append(try Self.node("Relu", ["i"], ["r\(index)"])) }
            let loop = try Self.loop(
                Self.subgraph(nodes, parameters: ["i", "go"], outputs: ["on"]), inputs: ["m", nil],
                outputs: [])
            return try Graph(
                name: "g", opset: 17, inputs: [Self.port("m", .int64)], outputs: [], constants: [:],
                nodes: [loop])
        }
        _ = try graph(49_999)
        #expect(throws: GraphError.limit("nodes of a graph", maximum: 100_000, actual: 100_001)) {
            try graph(50_000)
        }
    }

    @Test func `subgraphs lie no deeper in one another than the limit`() throws {
        func nested(_ depth: Int) throws -> Subgraph {
            guard depth > 1 else {
                return try Self.subgraph(
                    [Self.node("Relu", ["x"], ["y"])], captures: ["c", "x"], outputs: ["y"])
            }
            let inner = Attribute.graph(try nested(depth - 1))
            let node = try Node(
                name: "if", type: "If", attributes: ["then_branch": inner, "else_branch": inner], opset: 17,
                inputs: ["c", "c", "x"], outputs: ["y"])
            return try Self.subgraph([node], captures: ["c", "x"], outputs: ["y"])
        }
        #expect(try nested(8).depth == 8)
        #expect(throws: GraphError.limit("nesting of subgraphs", maximum: 8, actual: 9)) { try nested(9) }
    }

    @Test func `knowing a loop's inputs is no reason to run it`() throws {
        let loop = try Self.endless()
        let x = Tensor([Float(1)])
        let inferred = try loop.operation.inferOutputsAndElements(
            [nil, nil, ValueInfo(constant: x)], outputCount: 1)
        #expect(inferred.map(\.description) == ["float32[1]"] && inferred[0].constant == nil)
    }

    // MARK: - Inference

    @Test func `a branch's shapes hold when both give them`() throws {
        let node = try Self.choice(["Relu", "Neg"])
        let condition = ValueInfo(.bool, [])
        let inferred = try node.operation.inferOutputs([condition, info("N", 3)], outputCount: 1)
        #expect(inferred.map(\.description) == ["float32[N,3]"])
        let shapes = try Self.choice(["Relu", "Flatten"])
        let merged = try shapes.operation.inferOutputs([condition, info("N", 3)], outputCount: 1)
        #expect(merged.map(\.description) == ["float32[N,3]"])
        let ranks = try shapes.operation.inferOutputs([condition, info("N", 3, 2)], outputCount: 1)
        #expect(ranks.map(\.description) == ["float32[…]"])
    }

    @Test func `a known condition leaves one branch`() throws {
        let node = try Self.choice(["Flatten", "Relu"])
        for (value, expected) in [(true, "float32[2,12]"), (false, "float32[2,3,4]")] {
            let condition = ValueInfo(constant: Tensor([value]))
            let inferred = try node.operation.inferOutputs([condition, info(2, 3, 4)], outputCount: 1)
            #expect(inferred.map(\.description) == [expected])
        }
    }

    @Test func `a branch that cannot run is one that does not`() throws {
        // Not takes no floats.
        for types in [["Not", "Relu"], ["Relu", "Not"]] {
            let inferred = try Self.choice(types).operation.inferOutputs(
                [ValueInfo(.bool, []), info("N", 3)], outputCount: 1)
            #expect(inferred.map(\.description) == ["float32[N,3]"])
        }
        #expect(throws: GraphError.self) {
            try Self.choice(["Not", "Not"]).operation.inferOutputs(
                [ValueInfo(.bool, []), info("N", 3)], outputCount: 1)
        }
    }

    @Test func `refuses branches of two types and conditions that are none`() throws {
        let node = try Self.choice(["Relu", "Shape"])
        #expect {
            try node.operation.inferOutputs([ValueInfo(.bool, []), info(3)], outputCount: 1)
        } throws: {
            "\($0)" == "If: output 0 is float32[3] in one branch and int64[1] in the other"
        }
        #expect {
            try node.operation.inferOutputs([info(), info(3)], outputCount: 1)
        } throws: {
            "\($0)" == "If: cond is float32[], expected one element of bool"
        }
        #expect {
            try node.operation.evaluate(
                [tensor([2], [1, 1], .bool), tensor([3], [1, 2, 3])], outputCount: 1)
        } throws: {
            "\($0)".hasPrefix("If: cond is bool[2], expected one element of bool")
        }
    }

    @Test func `a state that an iteration changes has no known shape`() throws {
        let body = try Self.subgraph(
            [
                Node(
                    name: "n", type: "Concat", attributes: ["axis": .integer(0)], opset: 17,
                    inputs: ["s", "s"],
                    outputs: ["t"]),
                Self.node("Identity", ["go"], ["on"]),
            ], parameters: ["i", "go", "s"], outputs: ["on", "t"])
        let loop = try Self.loop(body, inputs: ["m", nil, "x"], outputs: ["y"])
        let inferred = try loop.operation.inferOutputs(
            [ValueInfo(.int64, []), nil, info(2, 3)], outputCount: 1)
        #expect(inferred.map(\.description) == ["float32[…]"])
    }

    // MARK: - Evaluation

    @Test func `the nodes of subgraphs round as the evaluator does`() throws {
        let node = try Self.choice(["Exp", "Exp"])
        let arguments = [
            ExactTensor(integers: [1], shape: .scalar, elementType: .bool), try tensor([1], [1]),
        ]
        let exact = try Evaluator(rounding: .exact).evaluate(node, arguments)
        let declared = try Evaluator(rounding: .declared).evaluate(node, arguments)
        #expect(exact[0].reals != declared[0].reals)
        #expect(exact[0].rounded.reals == declared[0].reals)
    }

    @Test func `refuses stacked values of two shapes`() throws {
        let body = try Self.subgraph(
            [
                Node(
                    name: "n", type: "Concat", attributes: ["axis": .integer(0)], opset: 17,
                    inputs: ["s", "s"],
                    outputs: ["t"]),
                Self.node("Identity", ["go"], ["on"]),
            ], parameters: ["i", "go", "s"], outputs: ["on", "t", "t"])
        let loop = try Self.loop(body, inputs: ["m", nil, "x"], outputs: ["y", "z"])
        let count = ExactTensor(integers: [2], shape: .scalar, elementType: .int64)
        #expect {
            try Evaluator(rounding: .declared).evaluate(loop, [count, nil, tensor([1], [1])])
        } throws: {
            "\($0)".contains("the iterations of a stacked output give float32[2] and float32[4]")
        }
    }

    @Test func `refuses sequences of two lengths`() throws {
        let body = try Self.subgraph(
            [Self.node("Add", ["a", "b"], ["t"])], parameters: ["a", "b"], outputs: ["t"])
        let scan = try Node(
            name: "scan", type: "Scan", attributes: ["body": .graph(body), "num_scan_inputs": .integer(2)],
            opset: 17, inputs: ["x", "z"], outputs: ["y"])
        #expect {
            try scan.operation.inferOutputs([info(2, 3), info(4, 3)], outputCount: 1)
        } throws: {
            "\($0)" == "Scan: the sequences have 2 and 4 positions"
        }
        for (name, value) in [
            ("scan_input_axes", [Int64(0)]), ("scan_output_directions", [2]),
            ("scan_input_directions", [0, -1]),
        ] {
            #expect(throws: GraphError.self) {
                try Node(
                    name: "scan", type: "Scan",
                    attributes: [
                        "body": .graph(body), "num_scan_inputs": .integer(2), name: .integers(value),
                    ], opset: 17, inputs: ["x", "z"], outputs: ["y"])
            }
        }
    }
}
