import Graph
import Tensors
import Testing

import Folding

@Suite struct IdentityRemovalTests {
    private func run(_ build: (inout GraphBuilder) throws -> Void) throws -> (Graph, Graph) {
        var builder = GraphBuilder()
        builder.input("x", [2, 3])
        try build(&builder)
        let graph = try builder.graph()
        let result = try IdentityRemoval().run(graph)
        #expect(try Comparison(graph, result).error == 0)
        return (graph, result)
    }

    @Test func `readers read what the identity read`() throws {
        let (_, result) = try run {
            try $0.node("Relu", ["x"], "a")
            try $0.node("Identity", ["a"], "b")
            try $0.node("Identity", ["b"], "c")
            try $0.node("Sigmoid", ["c"], "y")
            $0.output("y")
        }
        #expect(result.nodes.map(\.type) == ["Relu", "Sigmoid"])
        #expect(result.nodes[1].inputs == ["a"])
    }

    @Test func `a graph output keeps its name`() throws {
        let (_, result) = try run {
            try $0.node("Relu", ["x"], "a")
            try $0.node("Identity", ["a"], "b")
            try $0.node("Identity", ["b"], "y")
            try $0.node("Sigmoid", ["b"], "z")
            $0.output("y")
            $0.output("z")
        }
        #expect(result.nodes.map(\.type) == ["Relu", "Sigmoid"])
        #expect(result.nodes[0].outputs == ["y"] && result.nodes[1].inputs == ["y"])
    }

    @Test func `two outputs of one value both stay`() throws {
        let (_, result) = try run {
            try $0.node("Relu", ["x"], "a")
            try $0.node("Identity", ["a"], "y")
            try $0.node("Identity", ["a"], "z")
            $0.output("y")
            $0.output("z")
        }
        #expect(result.nodes.map(\.type) == ["Relu", "Identity"])
    }

    @Test func `an input that is passed to an output stays`() throws {
        let (_, result) = try run {
            try $0.node("Identity", ["x"], "y")
            $0.output("y")
        }
        #expect(result.nodes.count == 1)
    }

    @Test func `dropout goes unless somebody reads its mask`() throws {
        let (_, result) = try run {
            try $0.node("Relu", ["x"], "a")
            try $0.node("Dropout", ["a"], "b")
            try $0.node("Sigmoid", ["b"], "y")
            $0.output("y")
        }
        #expect(result.count(of: "Dropout") == 0)

        var builder = GraphBuilder()
        builder.input("x", [2, 3])
        builder.nodes.append(
            try Node(name: "drop", type: "Dropout", opset: 17, inputs: ["x"], outputs: ["y", "mask"]))
        builder.output("y")
        builder.outputs.append(Graph.Port(name: "mask", info: ValueInfo(.bool, nil)))
        #expect(try IdentityRemoval().run(builder.graph()).nodes.count == 1)
    }

    @Test func `a cast to the type that the value has is gone, a cast to another stays`() throws {
        var builder = GraphBuilder()
        builder.input("x", [2, 3])
        try builder.node("Cast", ["x"], "a", ["to": .integer(1)])
        try builder.node("Relu", ["a"], "b")
        try builder.node("Cast", ["b"], "c", ["to": .integer(1)])
        try builder.node("Cast", ["c"], "d", ["to": .integer(10)])
        try builder.node("Cast", ["d"], "e", ["to": .integer(10)])
        try builder.node("Cast", ["e"], "y", ["to": .integer(1)])
        builder.output("y")
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.graph.nodes.map(\.type) == ["Relu", "Cast", "Cast"])
        #expect(try Comparison(graph, result.graph).error < tolerance(.float16))
    }
}
