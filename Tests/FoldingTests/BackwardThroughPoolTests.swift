import Graph
import Tensors
import Testing

import Folding

/// Means and maxima, over windows and over axes.
@Suite struct BackwardThroughPoolTests {
    /// A convolution of as many rows and columns as channels before the operator.
    static func network(
        _ type: String, _ attributes: [String: Attribute] = [:], axes: [Int]? = nil, opset: Int = 17,
        scales: BackwardNetwork.Scales = .mixed, shifts: Bool = true
    ) throws -> BackwardNetwork {
        var network = BackwardNetwork(opset: opset)
        try network.convolution("h", [3, 3, 3, 3])
        var inputs = ["h"]
        if let axes { inputs.append(network.integers("axes", axes)) }
        try network.node(type, inputs, "t", attributes)
        try network.normalize("t", channels: 3, scales: scales, shifts: shifts)
        return network
    }

    struct Window: CustomTestStringConvertible {
        let testDescription: String
        var attributes: [String: Attribute]
        /// Whether a mean that counts pads has windows with fewer elements than it divides by, or may have.
        var isPadded = true
    }

    static let windows = [
        Window(testDescription: "plain", attributes: [:], isPadded: false),
        Window(testDescription: "valid", attributes: ["auto_pad": .string("VALID")], isPadded: false),
        Window(
            testDescription: "pads of 0", attributes: ["pads": .integers([0, 0, 0, 0])], isPadded: false),
        Window(testDescription: "pads", attributes: ["pads": .integers([1, 0, 0, 1])]),
        Window(testDescription: "same", attributes: ["auto_pad": .string("SAME_LOWER")]),
        Window(
            testDescription: "ceil_mode",
            attributes: ["ceil_mode": .integer(1), "strides": .integers([2, 2])]),
        Window(
            testDescription: "ceil_mode and pads",
            attributes: [
                "ceil_mode": .integer(1), "strides": .integers([2, 2]), "pads": .integers([1, 1, 1, 1]),
            ]),
    ]

    @Test(arguments: windows, BackwardNetwork.Scales.allCases)
    func `a mean takes the scale, and the shift unless it counts pads`(
        _ window: Window, _ scales: BackwardNetwork.Scales
    ) throws {
        var attributes = window.attributes
        attributes["kernel_shape"] = .integers([2, 2])
        for countsPads in [false, true] {
            attributes["count_include_pad"] = .integer(countsPads ? 1 : 0)
            try Self.network("AveragePool", attributes, scales: scales, shifts: false).expectFolded()
            let shifted = try Self.network("AveragePool", attributes, scales: scales)
            if countsPads, window.isPadded {
                try shifted.expectRefused(
                    "AveragePool counts its pads, so a shift would not be the same everywhere",
                    by: "averagepool")
            } else {
                try shifted.expectFolded()
            }
        }
    }

    @Test(arguments: windows)
    func `a maximum takes positive scales with their shifts`(_ window: Window) throws {
        var attributes = window.attributes
        attributes["kernel_shape"] = .integers([2, 2])
        try Self.network("MaxPool", attributes, scales: .positive).expectFolded()
        try Self.network("MaxPool", attributes, scales: .tiny).expectFolded()
        for scales in [BackwardNetwork.Scales.negative, .mixed, .zero, .uniform] {
            let report = try BackwardNetwork.pipeline.run(
                Self.network("MaxPool", attributes, scales: scales).builder.graph()
            ).report
            #expect(report.entry("bn")?.reason?.hasPrefix("MaxPool commutes with positive scales") == true)
            #expect(report.entry("bn")?.blockedBy == "maxpool")
        }
    }

    @Test func `refuses a maximum whose positions are asked for`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 3, 3, 3])
        network.builder.nodes.append(
            try Node(
                name: "maxpool", type: "MaxPool", attributes: ["kernel_shape": .integers([2, 2])], opset: 17,
                inputs: ["h"], outputs: ["t", "positions"]))
        try network.builder.node("Cast", ["positions"], "p", ["to": .integer(11)])
        network.builder.output("p")
        try network.normalize("t", channels: 3, scales: .positive)
        try network.expectRefused("the positions of the maxima are asked for too", by: "maxpool")
    }

    @Test func `global means and maxima`() throws {
        for scales in BackwardNetwork.Scales.allCases {
            try Self.network("GlobalAveragePool", scales: scales).expectFolded()
        }
        try Self.network("GlobalMaxPool", scales: .positive).expectFolded()
        try Self.network("GlobalMaxPool", scales: .zero).expectRefused(
            "GlobalMaxPool commutes with positive scales alone, that of channel 0 is 0.0", by: "globalmaxpool"
        )
    }

    @Test(arguments: ["ReduceMean", "ReduceMax", "ReduceMin"])
    func `a reduction of other axes keeps the channels`(_ type: String) throws {
        for axes in [[2], [-1], [3, 2], [0]] {
            for keeps in [0, 1] {
                // Without the batch axis, axis 1 is one of space.
                if axes == [0], keeps == 0 { continue }
                let stated = ["keepdims": Attribute.integer(Int64(keeps))]
                try Self.network(
                    type, stated.merging(["axes": .integers(axes.map { Int64($0) })]) { $1 },
                    scales: .positive
                ).expectFolded()
                try Self.network(type, stated, axes: axes, opset: 18, scales: .positive).expectFolded()
            }
        }
        if type != "ReduceMean" { return }
        try Self.network(type, ["axes": .integers([2, 3])], scales: .mixed).expectFolded()
    }

    @Test func `refuses a reduction of the channels, and one that moves another axis to their place`() throws
    {
        for (axes, keeps) in [([1], 0), ([0], 0)] {
            let network = try Self.network(
                "ReduceMean",
                ["axes": .integers(axes.map { Int64($0) }), "keepdims": .integer(Int64(keeps))])
            let report = try BackwardNetwork.pipeline.run(network.builder.graph()).report
            #expect(
                report.entry("bn")?.reason == "the channels are on axis 2, those of Conv on axis 1"
                    && report.entry("bn")?.blockedBy == "h")
        }
    }

    @Test func `a mean over the channels takes what is the same for all`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [2, 3, 3, 3])
        try network.node("ReduceMean", ["h"], "t", ["axes": .integers([1])])
        try network.normalize("t", channels: 1)
        try network.expectFolded()
    }
}
