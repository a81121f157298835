import Graph
import Tensors
import Testing

import Folding

@Suite struct ForwardIntoConvTransposeTests {
    static let rule = "batchnorm-forward-into-convtranspose"

    @Test func `a scale goes into any transposed convolution`() throws {
        for (group, outputs) in [(1, 4), (2, 2), (4, 3)] {
            var network = try ForwardNetwork([2, 4, 3, 3], shifts: false)
            try network.builder.weight("w", [4, outputs, 3, 2])
            try network.builder.weight("c", [outputs * group])
            try network.node(
                "ConvTranspose", ["h", "w", "c"], "y",
                [
                    "group": .integer(Int64(group)), "strides": .integers([2, 1]),
                    "pads": .integers([1, 0, 0, 1]), "dilations": .integers([1, 2]),
                ])
            let graph = try network.expectFolded(rule: Self.rule).graph
            #expect(graph.nodes.map(\.type) == ["ConvTranspose"] && graph.nodes[0].inputs[2] == "c")
        }
    }

    @Test func `a shift goes where each output has one tap`() throws {
        for (group, outputs) in [(1, 4), (2, 2), (4, 3)] {
            for hasBias in [true, false] {
                var network = try ForwardNetwork([2, 4, 3, 3])
                try network.builder.weight("w", [4, outputs, 1, 1])
                try network.builder.weight("c", [outputs * group])
                try network.node(
                    "ConvTranspose", hasBias ? ["h", "w", "c"] : ["h", "w"], "y",
                    ["group": .integer(Int64(group))])
                try network.expectFolded(rule: Self.rule)
            }
        }
    }

    @Test(
        arguments: [
            ["strides": .integers([2, 1])], ["pads": .integers([0, 0, 0, 1])],
            ["output_shape": .integers([4, 3])],
            ["output_padding": .integers([1, 0]), "strides": .integers([2, 2])],
        ] as [[String: Attribute]])
    func `refuses a shift elsewhere`(_ attributes: [String: Attribute]) throws {
        var network = try ForwardNetwork([2, 2, 3, 3])
        try network.builder.weight("w", [2, 2, 1, 1])
        try network.node("ConvTranspose", ["h", "w"], "y", attributes)
        try network.expectStays("ConvTranspose 'convtranspose_y': the shift would not be the same")
    }

    @Test func `refuses a shift into a kernel of several taps`() throws {
        var network = try ForwardNetwork([2, 2, 3, 3])
        try network.builder.weight("w", [2, 2, 2, 1])
        try network.node("ConvTranspose", ["h", "w"], "y")
        try network.expectStays("the shift would not be the same at each of its outputs")
    }
}
