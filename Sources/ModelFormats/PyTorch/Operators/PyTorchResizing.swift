import Graph
import Tensors

/// Interpolation.
enum PyTorchResizing {
    static let operators =
        nearest("upsample_nearest1d", axes: 1) + nearest("upsample_nearest2d", axes: 2)
        + nearest("upsample_nearest3d", axes: 3)
        + nearest("_upsample_nearest_exact1d", axes: 1, isExact: true)
        + nearest("_upsample_nearest_exact2d", axes: 2, isExact: true)
        + nearest("_upsample_nearest_exact3d", axes: 3, isExact: true)
        + smooth("upsample_linear1d", "linear", axes: 1)
        + smooth("upsample_bilinear2d", "linear", axes: 2) + smooth("upsample_trilinear3d", "linear", axes: 3)
        + smooth("upsample_bicubic2d", "cubic", axes: 2)
        + smooth("_upsample_bilinear2d_aa", "linear", axes: 2, antialiases: true)
        + smooth("_upsample_bicubic2d_aa", "cubic", axes: 2, antialiases: true)
        + [
            PyTorchOperator("aten.grid_sampler.default", "aten.grid_sampler_2d.default", map: sampled),
            PyTorchOperator("aten.affine_grid_generator.default") { (call) throws(GraphError) in
                let extents = try call.vector(call.symbolicIntegers("size"))
                return try call.result(
                    "AffineGrid", [call.value("theta"), extents],
                    ["align_corners": .integer(try call.flag("align_corners") ? 1 : 0)])
            },
        ]

    /// Samples at positions that a tensor gives, linear or nearest ones.
    private static func sampled(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let modes = ["linear", "nearest"]
        let paddings = ["zeros", "border", "reflection"]
        let (mode, padding) = (try call.integer("interpolation_mode"), try call.integer("padding_mode"))
        guard modes.indices.contains(mode), paddings.indices.contains(padding) else {
            throw call.refusal("interpolation mode \(mode) with padding mode \(padding) is not supported")
        }
        return try call.result(
            "GridSample", [call.value("input"), call.value("grid")],
            [
                "mode": .string(modes[mode]), "padding_mode": .string(paddings[padding]),
                "align_corners": .integer(try call.flag("align_corners") ? 1 : 0),
            ])
    }

    private static func nearest(_ name: String, axes: Int, isExact: Bool = false) -> [PyTorchOperator] {
        [
            PyTorchOperator("aten.\(name).vec", "aten.\(name).default") { (call) throws(GraphError) in
                try resized(
                    call, axes: axes,
                    [
                        "mode": .string("nearest"),
                        "coordinate_transformation_mode": .string(isExact ? "half_pixel" : "asymmetric"),
                        "nearest_mode": .string(isExact ? "round_prefer_ceil" : "floor"),
                    ])
            }
        ]
    }

    /// With `antialiases`, PyTorch has the cubic function and the borders of Pillow.
    private static func smooth(
        _ name: String, _ mode: String, axes: Int, antialiases: Bool = false
    ) -> [PyTorchOperator] {
        [
            PyTorchOperator("aten.\(name).vec", "aten.\(name).default") { (call) throws(GraphError) in
                let aligns = try call.flag("align_corners")
                let coordinates =
                    aligns ? "align_corners" : mode == "cubic" ? "half_pixel" : "pytorch_half_pixel"
                return try resized(
                    call, axes: axes,
                    [
                        "mode": .string(mode), "coordinate_transformation_mode": .string(coordinates),
                        "cubic_coeff_a": .real(antialiases ? -0.5 : -0.75),
                        "antialias": .integer(antialiases ? 1 : 0),
                        "exclude_outside": .integer(antialiases ? 1 : 0),
                    ])
            }
        ]
    }

    /// By scales where PyTorch was given them, which it then uses for the coordinates; else by the output's extents.
    private static func resized(
        _ call: PyTorchCall, axes: Int, _ attributes: [String: Attribute]
    ) throws(GraphError) -> [String] {
        let input = call.has("input") ? "input" : "self"
        guard try call.meta(input).rank == axes + 2 else {
            throw call.refusal("takes inputs of rank \(axes + 2), a batch axis among them")
        }
        if let scales = try scales(call, axes: axes) {
            let values = call.builder.add(
                Tensor([1, 1] + scales.map { Float($0) }), stem: call.node.name + "/scales")
            return try call.result("Resize", [call.value(input), nil, values], attributes)
        }
        var attributes = attributes
        attributes["axes"] = .integers((0..<axes).map { Int64($0 + 2) })
        let extents = try call.outputMeta().dimensions.dropFirst(2).compactMap(\.value)
        let sizes =
            extents.count == axes
            ? call.vector(extents) : try call.vector(call.symbolicIntegers("output_size"))
        return try call.result("Resize", [call.value(input), nil, nil, sizes], attributes)
    }

    private static func scales(_ call: PyTorchCall, axes: Int) throws(GraphError) -> [Double]? {
        if case .reals(let scales) = call.node.arguments["scale_factors"] {
            guard scales.count == axes, scales.allSatisfy({ $0 > 0 && $0.isFinite }) else {
                throw call.refusal("has \(scales.count) scales for \(axes) axes")
            }
            return scales
        }
        let names = axes == 1 ? ["scales"] : Array(["scales_d", "scales_h", "scales_w"].suffix(axes))
        guard names.allSatisfy(call.has) else { return nil }
        var scales: [Double] = []
        for name in names { scales.append(try call.real(name)) }
        return scales
    }
}
