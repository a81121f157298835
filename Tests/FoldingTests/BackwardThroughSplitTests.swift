import Graph
import Tensors
import Testing

import Folding

@Suite struct BackwardThroughSplitTests {
    /// A convolution with six channels in two parts of three on `axis`; the second is normalized.
    static func network(axis: Int = 1, opset: Int = 17, scales: BackwardNetwork.Scales = .mixed) throws
        -> BackwardNetwork
    {
        var network = BackwardNetwork(opset: opset)
        try network.convolution("h", axis == 1 ? [2, 6, 3, 3] : [2, 3, 6, 3])
        try network.builder.nodes.append(
            Node(
                name: "split", type: "Split", attributes: ["axis": .integer(Int64(axis))], opset: opset,
                inputs: ["h"], outputs: ["first", "second"]))
        try network.normalize("second", channels: 3, scales: scales)
        return network
    }

    @Test(arguments: BackwardNetwork.Scales.allCases)
    func `the other part keeps its channels and its name`(_ scales: BackwardNetwork.Scales) throws {
        for opset in [11, 13, 17] {
            var network = try Self.network(opset: opset, scales: scales)
            try network.node("Tanh", ["first"], "t")
            network.builder.output("t")
            network.builder.output("first")
            let result = try network.expectFolded(producer: "h")
            #expect(result.graph.node("split")?.outputs == ["first", "y"])
        }
    }

    @Test func `both parts take affines of their own, joined again`() throws {
        var network = try Self.network()
        network.builder.outputs = []
        network.builder.nodes.removeLast(2)
        try network.node("Concat", ["second", "first"], "t", ["axis": .integer(1)])
        try network.normalize("t", channels: 6)
        let result = try network.expectFolded(producer: "h")
        #expect(result.graph.nodes.map(\.type) == ["Conv", "Split", "Concat", "Sigmoid"])
    }

    @Test func `on another axis the part that changes too must not be read`() throws {
        var read = try Self.network(axis: 2)
        try read.node("Tanh", ["first"], "t")
        read.builder.output("t")
        try read.expectRefused("'first' would change with the other parts of the split", by: "split")
        // Unread, it is gone: no value keeps a name and changes.
        let result = try Self.network(axis: 2).expectFolded()
        #expect(result.graph.node("split")?.outputs == [nil, "y"])
    }

    @Test func `both parts on another axis may take the same`() throws {
        var network = try Self.network(axis: 2)
        network.builder.outputs = []
        network.builder.nodes.removeLast(2)
        try network.node("Concat", ["second", "first"], "t", ["axis": .integer(2)])
        try network.normalize("t", channels: 3)
        try network.expectFolded(producer: "h")
    }

    @Test(arguments: [
        [[0], [2], [1], [1]], [[1], [3], [-3], [1]], [[4], [-7], [1], [-2]], [[-2], [9], [1], [1]],
        [[1, 0], [3, 2], [2, 1], [1, 1]],
    ])
    func `a slice takes its own channels`(_ bounds: [[Int]]) throws {
        for scales in BackwardNetwork.Scales.allCases {
            var network = BackwardNetwork()
            // As many rows and columns as channels.
            try network.convolution("h", [1, 5, 5, 5])
            let names = zip(["starts", "ends", "axes", "steps"], bounds).map { network.integers($0, $1) }
            try network.node("Slice", ["h"] + names, "t")
            let channels = bounds[3] == [-2] ? 3 : 2
            try network.normalize("t", channels: channels, scales: scales)
            try network.expectFolded(producer: "h")
        }
    }

    @Test func `a slice that states its bounds takes its own channels`() throws {
        var network = BackwardNetwork(opset: 9)
        try network.convolution("h", [1, 5, 5, 5])
        try network.node(
            "Slice", ["h"], "t",
            ["starts": .integers([0, 1]), "ends": .integers([9, -1]), "axes": .integers([2, 1])])
        try network.normalize("t", channels: 3)
        try network.expectFolded(producer: "h")
    }

    @Test func `refuses a slice of channels beside which others are read`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 5, 3, 3])
        let bounds = [
            network.integers("starts", [0]), network.integers("ends", [2]), network.integers("axes", [1]),
        ]
        try network.node("Slice", ["h"] + bounds, "t")
        try network.node("Tanh", ["h"], "z")
        network.builder.output("z")
        try network.normalize("t", channels: 2)
        try network.expectRefused("the value before it has another consumer", by: "tanh")
    }

    @Test func `refuses a slice of channels that are not known`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 5, 3, 3])
        network.builder.inputs.append(Graph.Port(name: "start", info: ValueInfo(.int64, [.known(1)])))
        let bounds = ["start", network.integers("ends", [2]), network.integers("axes", [1])]
        try network.node("Slice", ["h"] + bounds, "t")
        try network.normalize("t", channels: 2)
        let report = try BackwardNetwork.pipeline.run(network.builder.graph()).report
        #expect(report.entry("bn")?.reason == "what it takes is not constant")
    }
}
