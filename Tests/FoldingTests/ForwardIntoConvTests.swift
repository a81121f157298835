import Graph
import Tensors
import Testing

import Folding

@Suite struct ForwardIntoConvTests {
    static let rule = "batchnorm-forward-into-conv"

    struct Case: CustomTestStringConvertible {
        let testDescription: String
        let input: [Int]
        let weight: [Int]
        var bias = true
        var attributes: [String: Attribute] = [:]
    }

    @Test(arguments: [
        Case(testDescription: "1-d", input: [2, 3, 7], weight: [4, 3, 3]),
        Case(testDescription: "2-d, square", input: [3, 3, 3, 3], weight: [3, 3, 3, 3]),
        Case(testDescription: "3-d, no bias", input: [1, 2, 4, 5, 4], weight: [3, 2, 2, 3, 2], bias: false),
        Case(
            testDescription: "grouped", input: [1, 4, 5, 5], weight: [6, 2, 3, 3],
            attributes: ["group": .integer(2)]),
        Case(
            testDescription: "depthwise, two outputs a channel", input: [1, 3, 5, 5], weight: [6, 1, 3, 3],
            attributes: ["group": .integer(3), "pads": .integers([0, 0, 0, 0])]),
        Case(
            testDescription: "strided, dilated", input: [1, 3, 9, 9], weight: [2, 3, 3, 3],
            attributes: ["strides": .integers([2, 1]), "dilations": .integers([1, 2])]),
        Case(
            testDescription: "auto_pad VALID", input: [1, 3, 5, 5], weight: [2, 3, 2, 3],
            attributes: ["auto_pad": .string("VALID")]),
        Case(
            testDescription: "auto_pad SAME that comes to 0", input: [1, 3, 6, 6], weight: [2, 3, 2, 2],
            attributes: ["auto_pad": .string("SAME_UPPER"), "strides": .integers([2, 2])]),
    ])
    func `without pads the shift goes into the bias`(_ c: Case) throws {
        for scales in ForwardNetwork.Scales.allCases {
            for type in [ElementType.float32, .float64, .bfloat16] {
                var network = try ForwardNetwork(c.input, scales: scales, elementType: type)
                try network.convolution("h", "y", weight: c.weight, bias: c.bias, c.attributes)
                let result = try network.expectFolded(rule: Self.rule, consumer: "conv_y")
                #expect(result.graph.nodes.map(\.name) == ["conv_y"])
                #expect(result.graph.nodes[0].inputs[0] == "x")
            }
        }
    }

    static let padded = [
        Case(
            testDescription: "padded", input: [2, 3, 4, 4], weight: [3, 3, 3, 3],
            attributes: ["pads": .integers([1, 1, 1, 1])]),
        Case(
            testDescription: "asymmetric, strided, dilated, no bias", input: [1, 2, 6, 5],
            weight: [3, 2, 3, 2],
            bias: false,
            attributes: [
                "pads": .integers([2, 0, 1, 3]), "strides": .integers([2, 1]),
                "dilations": .integers([1, 2]),
            ]),
        Case(
            testDescription: "SAME_LOWER", input: [1, 3, 5, 6], weight: [2, 3, 3, 2],
            attributes: ["auto_pad": .string("SAME_LOWER"), "strides": .integers([2, 2])]),
        Case(
            testDescription: "1-d", input: [1, 3, 5], weight: [2, 3, 3],
            attributes: ["pads": .integers([2, 1])]),
    ]

    @Test(arguments: padded)
    func `with pads a channel of ones carries the shift`(_ c: Case) throws {
        for scales in ForwardNetwork.Scales.allCases {
            for opset in [10, 11, 13, 18, 21] {
                var network = try ForwardNetwork(c.input, scales: scales, opset: opset)
                try network.convolution("h", "y", weight: c.weight, bias: c.bias, c.attributes)
                let result = try network.expectFolded(rule: Self.rule)
                #expect(result.graph.nodes.map(\.type) == ["Pad", "Conv"])
                let weight = try #require(result.graph.nodes[1].inputs[1])
                #expect(result.graph.constants[weight]?.shape[1] == c.weight[1] + 1)
            }
        }
    }

    @Test(arguments: padded)
    func `with pads a scale alone needs no node`(_ c: Case) throws {
        var network = try ForwardNetwork(c.input, shifts: false)
        try network.convolution("h", "y", weight: c.weight, bias: c.bias, c.attributes)
        #expect(try network.expectFolded(rule: Self.rule).graph.nodes.count == 1)
    }

    /// (x − mean)/deviation before a convolution.
    private func normalized(mean: [Double], _ dimensions: [Dimension], group: Int = 1, opset: Int = 17) throws
        -> ForwardNetwork
    {
        var network = try ForwardNetwork(dimensions, opset: opset)
        network.builder.nodes = []
        try network.builder.constant("mean", mean, [3, 1, 1])
        try network.builder.constant("deviation", [0.229, 0.224, 0.225], [3, 1, 1])
        try network.node("Sub", ["x", "mean"], "centred")
        try network.node("Div", ["centred", "deviation"], "h")
        try network.convolution(
            "h", "y", weight: [6, 3 / group, 3, 3],
            ["pads": .integers([1, 2, 0, 1]), "group": .integer(Int64(group))])
        network.builder.output("y")
        return network
    }

    @Test func `input normalised with one mean is padded with the mean`() throws {
        for (group, opset) in [(1, 17), (3, 17), (1, 10)] {
            let network = try normalized(
                mean: [0.5, 0.5, 0.5], [.symbol("N"), .known(3), .known(5), .known(4)], group: group,
                opset: opset)
            let graph = try network.builder.graph()
            let result = try FoldPipeline.standard.run(graph)
            #expect(result.report.chains.map(\.outcome) == [.folded])
            #expect(result.report.chains[0].rule == Self.rule && result.report.chains[0].consumer == "conv_y")
            #expect(result.graph.nodes.map(\.type) == ["Pad", "Conv"])
            #expect(result.graph.nodes[1].attributes["pads"] == nil)
            #expect(try Comparison(graph, result.graph).error < 1e-12)
        }
    }

    @Test func `input normalised with means of its own goes into the first convolution`() throws {
        let network = try normalized(
            mean: [0.485, 0.456, 0.406], [.symbol("N"), .known(3), .symbol("H"), .unknown])
        let graph = try network.builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.graph.nodes.map(\.type) == ["Pad", "Conv"])
        for extent in [3, 4, 7] {
            #expect(try Comparison(graph, result.graph, extent: extent).error < 1e-12)
        }
    }

    @Test func `two padded convolutions share the channel of ones`() throws {
        var network = try ForwardNetwork([1, 2, 4, 4])
        for output in ["y", "z"] {
            try network.convolution("h", output, weight: [2, 2, 3, 3], ["pads": .integers([1, 1, 1, 1])])
        }
        try network.convolution("h", "u", weight: [2, 2, 1, 1])
        let result = try network.expectFolded(
            rule: Self.rule, consumer: "conv_y, conv_z, conv_u", outputs: ["y", "z", "u"])
        #expect(result.graph.nodes.map(\.type).sorted() == ["Conv", "Conv", "Conv", "Pad"])
    }

    @Test func `refuses a shift into a padded convolution of several groups`() throws {
        var network = try ForwardNetwork([1, 4, 4, 4])
        try network.convolution(
            "h", "y", weight: [4, 2, 3, 3], ["group": .integer(2), "pads": .integers([0, 1, 0, 0])])
        try network.expectStays("Conv 'conv_y': it pads with 0 in 2 groups")
    }

    @Test func `pads that follow from a dynamic extent count as pads`() throws {
        var network = try ForwardNetwork([.known(1), .known(2), .symbol("H"), .symbol("H")])
        try network.convolution(
            "h", "y", weight: [2, 2, 3, 3],
            ["auto_pad": .string("SAME_UPPER"), "strides": .integers([2, 2])])
        let graph = try network.expectFolded(rule: Self.rule).graph
        #expect(graph.nodes.map(\.type) == ["Pad", "Conv"])
    }

    @Test func `refuses a weight that a caller may override, and one that is an input`() throws {
        var network = try ForwardNetwork([1, 2, 4, 4])
        try network.convolution("h", "y", weight: [2, 2, 3, 3])
        network.builder.overridable = ["y.w"]
        try network.expectStays("Conv 'conv_y': a caller may override the weight")
        network.builder.overridable = ["y.c"]
        try network.expectStays("Conv 'conv_y': a caller may override the bias")
        network = try ForwardNetwork([2, 2, 3, 3])
        network.builder.input("images", [1, 2, 5, 5])
        try network.node("Conv", ["images", "h"], "y")
        try network.expectStays("Conv 'conv_y': it reads the value at an input that is no place for it")
    }

    @Test func `leaves a shared weight untouched for its other reader`() throws {
        var network = try ForwardNetwork([1, 2, 4, 4])
        try network.convolution("h", "y", weight: [2, 2, 3, 3])
        try network.node("Conv", ["x", "y.w"], "z")
        let result = try network.expectFolded(rule: Self.rule, outputs: ["y", "z"])
        #expect(result.report.entry("bn")?.clonedWeights == true)
        #expect(result.graph.node("conv_z")?.inputs[1] == "y.w")
    }

    @Test func `refuses a float16 weight that overflows`() throws {
        var network = try ForwardNetwork([1, 2, 4, 4], elementType: .float16)
        try network.builder.constant("bn.gamma", [60000, 1], [2])
        try network.builder.constant("y.w", [Double](repeating: 2, count: 4), [2, 2, 1, 1])
        try network.node("Conv", ["h", "y.w"], "y")
        try network.expectStays("Conv 'conv_y': a folded weight is beyond the range of float16")
        try network.builder.constant("bn.gamma", [1, 1], [2])
        try network.builder.constant("bn.beta", [60000, 60000], [2])
        try network.expectStays("Conv 'conv_y': the folded bias is beyond the range of float16")
    }
}
