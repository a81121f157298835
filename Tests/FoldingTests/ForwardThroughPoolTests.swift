import Graph
import Tensors
import Testing

import Folding

/// Pools, reductions, activations and Resize: what affines commute with channel by channel.
@Suite struct ForwardThroughPoolTests {
    static let rule = "batchnorm-forward-into-conv"
    static let gemm = "batchnorm-forward-into-gemm"

    /// bn → `type` → 1×1 convolution.
    private func network(
        _ type: String, _ attributes: [String: Attribute] = [:],
        scales: ForwardNetwork.Scales = .positive, shifts: Bool = true, inputs: [String?] = [],
        opset: Int = 17
    ) throws -> ForwardNetwork {
        var network = try ForwardNetwork([2, 3, 5, 5], scales: scales, shifts: shifts, opset: opset)
        try network.node(type, ["h"] + inputs, "p", attributes)
        try network.convolution("p", "y", weight: [2, 3, 1, 1])
        return network
    }

    @Test func `MaxPool lets positive scales and any shift through, whatever its pads`() throws {
        for scales in [ForwardNetwork.Scales.positive, .tiny] {
            for attributes in [
                ["kernel_shape": .integers([2, 2])],
                [
                    "kernel_shape": .integers([3, 3]), "pads": .integers([1, 1, 1, 1]),
                    "strides": .integers([2, 2]), "ceil_mode": .integer(1),
                ],
            ] as [[String: Attribute]] {
                try network("MaxPool", attributes, scales: scales).expectFolded(
                    rule: Self.rule, consumer: "conv_y")
            }
        }
        try network("GlobalMaxPool").expectFolded(rule: Self.rule)
    }

    @Test(arguments: [ForwardNetwork.Scales.negative, .mixed, .zero])
    func `MaxPool refuses scales that are not positive`(_ scales: ForwardNetwork.Scales) throws {
        try network("MaxPool", ["kernel_shape": .integers([2, 2])], scales: scales)
            .expectStays("MaxPool 'maxpool_p': it lets no scale through that is not positive")
        try network("GlobalMaxPool", scales: scales).expectStays("it lets no scale through that is not")
    }

    @Test func `MaxPool keeps its indices`() throws {
        var network = try network("MaxPool", ["kernel_shape": .integers([2, 2])])
        network.builder.nodes[1].outputs.append("i")
        try network.node("Cast", ["i"], "z", ["to": .integer(1)])
        try network.expectStays("its indices are asked for", outputs: ["y", "z"])
    }

    @Test func `AveragePool lets a shift through unless it counts pads`() throws {
        for scales in ForwardNetwork.Scales.allCases {
            for attributes in [
                ["kernel_shape": .integers([2, 2]), "count_include_pad": .integer(1)],
                ["kernel_shape": .integers([3, 3]), "pads": .integers([1, 1, 1, 1])],
                ["kernel_shape": .integers([3, 3]), "auto_pad": .string("SAME_LOWER")],
                [
                    "kernel_shape": .integers([3, 3]), "strides": .integers([2, 2]),
                    "ceil_mode": .integer(1),
                ],
            ] as [[String: Attribute]] {
                try network("AveragePool", attributes, scales: scales).expectFolded(rule: Self.rule)
            }
            let counting: [String: Attribute] = [
                "kernel_shape": .integers([3, 3]), "pads": .integers([0, 1, 0, 0]),
                "count_include_pad": .integer(1),
            ]
            try network("AveragePool", counting, scales: scales)
                .expectStays("it counts its pads, where the shift would be missing")
            try network("AveragePool", counting, scales: scales, shifts: false).expectFolded(rule: Self.rule)
            try network("GlobalAveragePool", scales: scales).expectFolded(rule: Self.rule)
        }
    }

    @Test func `means over other axes let everything through`() throws {
        for (axes, keeps) in [([2, 3], true), ([-1], true), ([-1, -2], false)] as [([Int64], Bool)] {
            var network = try ForwardNetwork([2, 3, 3, 3])
            try network.node(
                "ReduceMean", ["h"], "m", ["axes": .integers(axes), "keepdims": .integer(keeps ? 1 : 0)])
            if keeps {
                try network.convolution("m", "y", weight: [2, 3, 1, 1])
                try network.expectFolded(rule: Self.rule)
            } else {
                try network.builder.weight("w", [3, 2])
                try network.node("Gemm", ["m", "w"], "y")
                try network.expectFolded(rule: Self.gemm)
            }
        }
    }

    @Test func `the channels move when axes before them are reduced`() throws {
        var network = try ForwardNetwork([2, 3, 3, 3])
        try network.node("Transpose", ["h"], "t", ["perm": .integers([0, 2, 3, 1])])
        try network.node("ReduceMean", ["t"], "m", ["axes": .integers([1, 2]), "keepdims": .integer(0)])
        try network.builder.weight("w", [3, 2])
        try network.node("Gemm", ["m", "w"], "y")
        try network.expectFolded(rule: Self.gemm)
        network = try ForwardNetwork([2, 3, 3, 3], opset: 18)
        network.integers("axes", [1, 2])
        try network.node("ReduceMean", ["h", "axes"], "m", ["keepdims": .integer(0)])
        try network.builder.weight("w", [3, 2])
        try network.node("Gemm", ["m", "w"], "y")
        try network.expectStays("ReduceMean 'reducemean_m': it reduces axis 1, which is the channels'")
    }

    @Test func `maxima want positive scales`() throws {
        let attributes: [String: Attribute] = ["axes": .integers([2, 3])]
        try network("ReduceMax", attributes).expectFolded(rule: Self.rule)
        try network("ReduceMin", attributes).expectFolded(rule: Self.rule)
        try network("ReduceMax", attributes, scales: .mixed).expectStays(
            "no scale through that is not positive")
    }

    @Test(arguments: ["Relu", "LeakyRelu", "PRelu"])
    func `a rectifier lets a scale through that is positive`(_ type: String) throws {
        for scales in [ForwardNetwork.Scales.positive, .zero, .tiny, .mixed] {
            var network = try ForwardNetwork([2, 3, 5, 5], scales: scales, shifts: false)
            try network.builder.weight("slope", [3, 1, 1])
            try network.node(type, type == "PRelu" ? ["h", "slope"] : ["h"], "p")
            try network.convolution("p", "y", weight: [2, 3, 3, 3], ["pads": .integers([1, 1, 1, 1])])
            if scales == .mixed || scales == .zero {
                try network.expectStays(
                    "\(type) '\(type.lowercased())_p': it lets no scale through that is not positive")
            } else {
                try network.expectFolded(rule: Self.rule)
            }
        }
    }

    @Test func `a normalization before Relu and convolution stays, as in DenseNet`() throws {
        var network = try ForwardNetwork([1, 3, 5, 5])
        try network.node("Relu", ["h"], "r")
        try network.convolution("r", "y", weight: [2, 3, 1, 1])
        try network.expectStays("Relu 'relu_r': it lets no shift through")
    }

    @Test(arguments: ["nearest", "linear", "cubic"])
    func `Resize lets everything through but on the channels' axis`(_ mode: String) throws {
        for coordinates in ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"] {
            for antialias in [0, 1] where antialias == 0 || mode != "nearest" {
                let opset = antialias == 1 ? 18 : 13
                var network = try ForwardNetwork([1, 3, 5, 4], opset: opset)
                network.builder.constants["scales"] = Tensor([1, 1, 2, 0.6] as [Float])
                var attributes: [String: Attribute] = [
                    "mode": .string(mode), "coordinate_transformation_mode": .string(coordinates),
                ]
                if antialias == 1 { attributes["antialias"] = .integer(1) }
                try network.node("Resize", ["h", nil, "scales"], "p", attributes)
                try network.convolution("p", "y", weight: [2, 3, 1, 1])
                try network.expectFolded(rule: Self.rule)
            }
        }
    }

    @Test func `Resize by sizes, Upsample, and a resized channel axis`() throws {
        var network = try ForwardNetwork([1, 3, 5, 4])
        network.integers("sizes", [1, 3, 7, 9])
        try network.node("Resize", ["h", nil, nil, "sizes"], "p", ["mode": .string("linear")])
        try network.convolution("p", "y", weight: [2, 3, 1, 1])
        try network.expectFolded(rule: Self.rule)
        network = try ForwardNetwork([1, 3, 5, 4], opset: 9)
        network.builder.constants["scales"] = Tensor([1, 1, 2, 3] as [Float])
        try network.node("Upsample", ["h", "scales"], "p", ["mode": .string("linear")])
        try network.convolution("p", "y", weight: [2, 3, 1, 1])
        try network.expectFolded(rule: Self.rule)
        // 3 channels again, and not the same ones.
        network = try ForwardNetwork([1, 3, 5, 4])
        network.builder.constants["scales"] = Tensor([1, 1.2, 1, 1] as [Float])
        try network.node("Resize", ["h", nil, "scales"], "p", ["mode": .string("linear")])
        try network.convolution("p", "y", weight: [2, 3, 1, 1])
        try network.expectStays("it resizes axis 1")
        network = try ForwardNetwork([1, 3, 5, 4])
        network.builder.constants["scales"] = Tensor([1, 1, 2, 2] as [Float])
        network.builder.constants["roi"] = Tensor([0, 0, 0, 0, 1, 1, 2, 2] as [Float])
        try network.node(
            "Resize", ["h", "roi", "scales"], "p",
            ["mode": .string("linear"), "coordinate_transformation_mode": .string("tf_crop_and_resize")])
        try network.convolution("p", "y", weight: [2, 3, 1, 1])
        try network.expectStays("it puts a number of its own")
    }
}
