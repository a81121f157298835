import Graph

/// Convolutions, plain and transposed.
enum PyTorchConvolution {
    static let operators = [
        PyTorchOperator("aten.conv1d.default", "aten.conv1d.padding") { (call) throws(GraphError) in
            try plain(call, axes: 1)
        },
        PyTorchOperator("aten.conv2d.default", "aten.conv2d.padding") { (call) throws(GraphError) in
            try plain(call, axes: 2)
        },
        PyTorchOperator("aten.conv3d.default", "aten.conv3d.padding") { (call) throws(GraphError) in
            try plain(call, axes: 3)
        },
        PyTorchOperator("aten.conv_transpose1d.default") { (call) throws(GraphError) in
            try transposed(call, axes: 1)
        },
        PyTorchOperator("aten.conv_transpose2d.input") { (call) throws(GraphError) in
            try transposed(call, axes: 2)
        },
        PyTorchOperator("aten.conv_transpose3d.input") { (call) throws(GraphError) in
            try transposed(call, axes: 3)
        },
        PyTorchOperator("aten.convolution.default") { (call) throws(GraphError) in
            let axes = try call.meta("weight").rank - 2
            return try call.flag("transposed") ? transposed(call, axes: axes) : plain(call, axes: axes)
        },
    ]

    private static func plain(_ call: PyTorchCall, axes: Int) throws(GraphError) -> [String] {
        var attributes = try window(call, axes: axes)
        if case .string(let padding) = call.node.arguments["padding"] {
            attributes["pads"] = .integers(try pads(padding, call, axes: axes).map(Int64.init))
        }
        return try convolution("Conv", call, attributes)
    }

    private static func transposed(_ call: PyTorchCall, axes: Int) throws(GraphError) -> [String] {
        var attributes = try window(call, axes: axes)
        attributes["output_padding"] = .integers(
            try call.perAxis("output_padding", count: axes, default: 0).map(Int64.init))
        return try convolution("ConvTranspose", call, attributes)
    }

    private static func convolution(
        _ type: String, _ call: PyTorchCall, _ attributes: [String: Attribute]
    ) throws(GraphError) -> [String] {
        var inputs: [String?] = [try call.value("input"), try call.value("weight")]
        if let bias = try call.optionalValue("bias") { inputs.append(bias) }
        return try call.result(type, inputs, attributes)
    }

    private static func window(_ call: PyTorchCall, axes: Int) throws(GraphError) -> [String: Attribute] {
        let weight = try call.meta("weight")
        guard axes >= 1, weight.rank == axes + 2, try call.meta("input").rank == axes + 2 else {
            throw call.refusal("takes inputs and weights of rank \(axes + 2), a batch axis among them")
        }
        var kernel: [Int64] = []
        for axis in 0..<axes { kernel.append(Int64(try call.extent("weight", axis + 2))) }
        var attributes: [String: Attribute] = [
            "kernel_shape": .integers(kernel),
            "strides": .integers(try call.perAxis("stride", count: axes, default: 1).map(Int64.init)),
            "dilations": .integers(try call.perAxis("dilation", count: axes, default: 1).map(Int64.init)),
            "group": .integer(Int64(try call.integer("groups", default: 1))),
        ]
        if case .string = call.node.arguments["padding"] { return attributes }
        let pads = try call.perAxis("padding", count: axes, default: 0).map(Int64.init)
        attributes["pads"] = .integers(pads + pads)
        return attributes
    }

    /// `same`: as many outputs as inputs at stride 1, an odd pad at the end.
    private static func pads(_ padding: String, _ call: PyTorchCall, axes: Int) throws(GraphError) -> [Int] {
        if padding == "valid" { return [Int](repeating: 0, count: 2 * axes) }
        guard padding == "same" else { throw call.refusal("padding '\(padding)' is not known") }
        let dilations = try call.perAxis("dilation", count: axes, default: 1)
        var (begins, ends): ([Int], [Int]) = ([], [])
        for axis in 0..<axes {
            let kernel = try call.extent("weight", axis + 2)
            let (total, overflow) = dilations[axis].multipliedReportingOverflow(by: kernel - 1)
            guard !overflow, total >= 0 else { throw call.refusal("the window is too large") }
            begins.append(total / 2)
            ends.append(total - total / 2)
        }
        return begins + ends
    }
}
