import Graph
import ModelFormats
import Tensors
import Testing

import Folding

@Suite struct GraphShrinkerTests {
    @Test func `what does not matter goes, and the rest can be loaded`() throws {
        var builder = GraphBuilder()
        builder.input("x", [1, 3, 5, 5])
        try builder.weight("w", [4, 3, 3, 3])
        try builder.node("Conv", ["x", "w"], "h")
        try builder.batchNorm("h", "b", channels: 4)
        try builder.node("Relu", ["b"], "r")
        try builder.node("Sigmoid", ["r"], "s")
        try builder.node("Tanh", ["r"], "t")
        builder.output("s")
        builder.output("t")
        let shrinker = GraphShrinker { $0.count(of: "Relu") == 1 }
        let smallest = shrinker.smallest(try builder.graph())
        #expect(smallest.nodes.map(\.type) == ["Relu"] && smallest.inputs.map(\.name) == ["b"])
        let path = shrinker.write(try builder.graph(), name: "shrinker")
        #expect(try ONNXFormat().load(path: path).nodes.map(\.type) == ["Relu"])
    }
}
