import Graph
import Tensors
import Testing

import Folding

@Suite struct ForwardIntoRecurrentTests {
    @Test(arguments: [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
    func `the input's features go into the input's weights and biases`(_ layer: (String, Int)) throws {
        for direction in ["forward", "reverse", "bidirectional"] {
            for batchFirst in [false, true] {
                for hasBias in [false, true] {
                    let directions = direction == "bidirectional" ? 2 : 1
                    var network = try ForwardNetwork([2, 3, 4])
                    try network.node("Transpose", ["h"], "t", ["perm": .integers([0, 2, 1])])
                    try network.builder.weight("w", [directions, layer.1 * 2, 3])
                    try network.builder.weight("r", [directions, layer.1 * 2, 2])
                    try network.builder.weight("b", [directions, layer.1 * 4])
                    try network.node(
                        layer.0, hasBias ? ["t", "w", "r", "b"] : ["t", "w", "r"], "y",
                        ["direction": .string(direction), "layout": .integer(batchFirst ? 1 : 0)])
                    try network.expectFolded(
                        rule: "batchnorm-forward-into-\(layer.0.lowercased())",
                        consumer: "\(layer.0.lowercased())_y")
                }
            }
        }
    }

    @Test func `a scale alone makes no bias`() throws {
        var network = try ForwardNetwork([2, 3, 4], shifts: false)
        try network.node("Transpose", ["h"], "t", ["perm": .integers([2, 0, 1])])
        try network.builder.weight("w", [1, 8, 3])
        try network.builder.weight("r", [1, 8, 2])
        try network.node("LSTM", ["t", "w", "r"], "y")
        let graph = try network.expectFolded(rule: "batchnorm-forward-into-lstm").graph
        #expect(graph.node("lstm_y")?.inputs.count == 3)
    }

    @Test func `refuses another axis, and a state`() throws {
        var network = try ForwardNetwork([3, 3, 3])
        try network.builder.weight("w", [1, 8, 3])
        try network.builder.weight("r", [1, 8, 2])
        try network.node("LSTM", ["h", "w", "r"], "y")
        try network.expectStays("LSTM 'lstm_y': the channels are on axis 1, it takes them on axis 2")
        network = try ForwardNetwork([1, 2, 2])
        network.builder.input("s", [4, 2, 3])
        try network.builder.weight("w", [1, 8, 3])
        try network.builder.weight("r", [1, 8, 2])
        try network.node("LSTM", ["s", "w", "r", nil, nil, "h"], "y")
        try network.expectStays("it reads the value at an input that is no place for it")
    }
}
