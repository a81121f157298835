import Graph
import Tensors
import Testing

import Folding

@Suite struct BackwardThroughResizeTests {
    static func network(
        scales factors: [Double], _ attributes: [String: Attribute] = [:], sizes: [Int]? = nil,
        opset: Int = 17, channels: Int = 3, scales: BackwardNetwork.Scales = .mixed
    ) throws -> BackwardNetwork {
        var network = BackwardNetwork(opset: opset)
        try network.convolution("h", [1, 3, 3, 3])
        network.builder.constants["factors"] = Tensor(factors.map { Float($0) })
        if opset < 10 {
            try network.node("Upsample", ["h", "factors"], "t", attributes)
        } else {
            let inputs: [String?]
            if let sizes {
                inputs = ["h", nil, nil, network.integers("sizes", sizes)]
            } else {
                inputs = opset < 11 ? ["h", "factors"] : ["h", nil, "factors"]
            }
            try network.node("Resize", inputs, "t", attributes)
        }
        try network.normalize("t", channels: channels, scales: scales)
        return network
    }

    @Test(arguments: ["nearest", "linear", "cubic"], BackwardNetwork.Scales.allCases)
    func `every mode keeps scale and shift`(_ mode: String, _ scales: BackwardNetwork.Scales) throws {
        let stated: [String: Attribute] = ["mode": .string(mode)]
        for coordinates in ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"] {
            for excludes in [0, 1] where excludes == 0 || mode == "cubic" {
                var attributes = stated
                attributes["coordinate_transformation_mode"] = .string(coordinates)
                attributes["exclude_outside"] = .integer(Int64(excludes))
                try Self.network(scales: [1, 1, 2, 1.5], attributes, opset: 13, scales: scales).expectFolded()
            }
        }
        let smooth = stated.merging(["antialias": .integer(1)]) { $1 }
        if mode != "nearest" {
            try Self.network(scales: [1, 1, 0.7, 0.5], smooth, opset: 18, scales: scales).expectFolded()
        }
        if mode != "cubic" {
            try Self.network(scales: [1, 1, 2, 1.5], stated, opset: 9, scales: scales).expectFolded()
            try Self.network(scales: [1, 1, 2, 1.5], stated, opset: 10, scales: scales).expectFolded()
        }
    }

    @Test func `sizes and stated axes leave the channels alone`() throws {
        try Self.network(scales: [], sizes: [1, 3, 5, 2]).expectFolded()
        try Self.network(scales: [2, 2], ["axes": .integers([3, 2])], opset: 18).expectFolded()
        try Self.network(scales: [1, 2], ["axes": .integers([-3, 2])], opset: 18).expectFolded()
    }

    @Test func `refuses channels that are resized, to the same extent too`() throws {
        let reason = "the channels of axis 1 are not those of one axis before Resize"
        try Self.network(scales: [1, 2, 1, 1], channels: 6).expectRefused(reason, by: "resize")
        try Self.network(scales: [1, 1.25, 1, 1], ["mode": .string("linear")])
            .expectRefused(reason, by: "resize")
        try Self.network(
            scales: [1.25], ["mode": .string("linear"), "axes": .integers([1])], opset: 18
        ).expectRefused(reason, by: "resize")
        // One scale for all axes, rounded to the same extent.
        try Self.network(
            scales: [],
            ["mode": .string("linear"), "keep_aspect_ratio_policy": .string("not_larger")],
            sizes: [1, 3, 4, 4], opset: 18
        ).expectRefused(reason, by: "resize")
        try Self.network(scales: [1, 2, 1, 1], channels: 6, scales: .uniform).expectFolded()
    }

    @Test func `refuses a crop, which has a value of its own outside`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 3, 3, 3])
        network.builder.constants["factors"] = Tensor([1, 1, 2, 2] as [Float])
        try network.builder.constant("region", [0, 0, -0.5, 0, 1, 1, 1.5, 1], [8])
        try network.node(
            "Resize", ["h", "region", "factors"], "t",
            [
                "mode": .string("linear"),
                "coordinate_transformation_mode": .string("tf_crop_and_resize"),
                "extrapolation_value": .real(7),
            ])
        try network.normalize("t", channels: 3)
        try network.expectRefused("tf_crop_and_resize has a value of its own outside the input", by: "resize")
    }
}
