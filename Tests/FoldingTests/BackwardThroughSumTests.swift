import Graph
import Tensors
import Testing

import Folding

@Suite struct BackwardThroughSumTests {
    /// Two convolutions, one with an activation if it has a name, in a sum.
    static func network(
        _ type: String, activations: [String?] = [nil, nil], scales: BackwardNetwork.Scales = .mixed,
        shifts: Bool = true
    ) throws -> BackwardNetwork {
        var network = BackwardNetwork()
        var operands: [String] = []
        for (index, activation) in activations.enumerated() {
            let name = "h\(index)"
            try network.convolution(name, [3, 3, 3, 3])
            if let activation {
                try network.builder.node(activation, [name], "r\(index)", name: "activation\(index)")
            }
            operands.append(activation == nil ? name : "r\(index)")
        }
        try network.node(type, operands, "h")
        try network.normalize("h", channels: 3, scales: scales, shifts: shifts)
        return network
    }

    @Test(arguments: ["Add", "Sub", "Sum"], BackwardNetwork.Scales.allCases)
    func `the scale goes to both, the shift to one`(_ type: String, _ scales: BackwardNetwork.Scales) throws {
        for shifts in [false, true] {
            let result = try Self.network(type, scales: scales, shifts: shifts).expectFolded()
            #expect(result.graph.nodes.map(\.type) == ["Conv", "Conv", type, "Sigmoid"])
        }
    }

    @Test(arguments: ["Add", "Sub", "Sum"])
    func `the shift goes where no activation stands before it`(_ type: String) throws {
        try Self.network(type, activations: ["Relu", nil], scales: .positive).expectFolded()
        try Self.network(type, activations: [nil, "Relu"], scales: .positive).expectFolded()
        try Self.network(type, activations: ["Relu", "Relu"], scales: .positive)
            .expectRefused("Relu does not commute with a shift, channel 0 has one", by: "activation0")
    }

    @Test func `three operands of a sum`() throws {
        try Self.network("Sum", activations: ["Relu", nil, "LeakyRelu"], scales: .positive).expectFolded()
    }

    @Test(arguments: [[4, 4], [3, 4, 4], [3, 4, 1], [2, 3, 4, 4], [2, 1, 4, 1]])
    func `a constant operand goes through the affine`(_ shape: [Int]) throws {
        for type in ["Add", "Sub"] {
            for isFirst in [false, true] {
                var network = BackwardNetwork()
                try network.convolution("h", [2, 3, 4, 4])
                try network.builder.node("MaxPool", ["h"], "m", ["kernel_shape": .integers([1, 1])])
                try network.builder.weight("k", shape)
                try network.node(type, isFirst ? ["k", "m"] : ["m", "k"], "t")
                try network.normalize("t", channels: 3, scales: isFirst && type == "Sub" ? .positive : .tiny)
                let result = try network.expectFolded(producer: "h")
                #expect(result.graph.constants["k"] == nil)
            }
        }
    }

    @Test func `an operand that lacks the channels takes what is the same for all`() throws {
        for scales in [BackwardNetwork.Scales.uniform, .mixed] {
            var network = BackwardNetwork()
            try network.convolution("h", [2, 3, 4, 4])
            try network.convolution("g", [2, 1, 4, 4])
            try network.node("Add", ["g", "h"], "t")
            try network.normalize("t", channels: 3, scales: scales)
            if scales == .uniform {
                try network.expectFolded()
            } else {
                try network.expectRefused(
                    "the channels of axis 1 are not those of one axis before Add", by: "add")
            }
        }
    }

    @Test func `an operand with fewer axes keeps its own`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [2, 3, 4, 4])
        try network.dense("g", rows: 3, columns: 4)
        try network.builder.node("Unsqueeze", ["g", network.integers("axes", [2])], "u")
        try network.node("Add", ["h", "u"], "t")
        try network.normalize("t", channels: 3)
        try network.expectRefused(
            "the channels are on axis 0, those of Gemm on axis 1", by: "g")
    }

    @Test func `refuses a value that is added to itself with a shift, not without`() throws {
        for shifts in [false, true] {
            var network = BackwardNetwork()
            try network.convolution("h", [2, 3, 4, 4])
            try network.node("Add", ["h", "h"], "t")
            try network.normalize("t", channels: 3, shifts: shifts)
            if shifts {
                try network.expectRefused("'h' would have to change in two ways", by: "add")
            } else {
                try network.expectFolded()
            }
        }
    }

    @Test func `a residual block folds both of its ways`() throws {
        var network = BackwardNetwork()
        network.builder.input("x", [2, 3, 4, 4])
        for name in ["first", "skip", "second"] { try network.builder.weight(name, [3, 3, 1, 1]) }
        try network.builder.node("Conv", ["x", "first"], "f")
        try network.builder.node("Relu", ["f"], "r")
        try network.builder.node("Conv", ["r", "second"], "s")
        try network.builder.node("Conv", ["x", "skip"], "k")
        try network.node("Add", ["s", "k"], "t")
        try network.normalize("t", channels: 3)
        let result = try network.expectFolded()
        // Both ways begin at the same value only before the first convolution, which did not change.
        #expect(result.report.entries[0].input == nil)
        #expect(result.graph.constants["first"] != nil && result.graph.constants["skip"] == nil)
    }
}
