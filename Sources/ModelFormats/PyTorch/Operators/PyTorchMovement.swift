import Graph
import Tensors

/// What joins, splits, pads, repeats and rearranges tensors.
enum PyTorchMovement {
    static let operators = [
        PyTorchOperator("aten.cat.default", "aten.concat.default", "aten.concatenate.default", map: joined),
        PyTorchOperator("aten.stack.default", map: stacked),
        PyTorchOperator(
            "aten.split.Tensor", "aten.split.sizes", "aten.split_with_sizes.default", "aten.chunk.default",
            "aten.tensor_split.sections", "aten.tensor_split.indices", "aten.unsafe_chunk.default",
            "aten.unsafe_split.Tensor",
            isView: true,
            map: split),
        PyTorchOperator("aten.unbind.int", isView: true, map: unbound),
        PyTorchOperator("aten.repeat.default") { (call) throws(GraphError) in
            try repeated(call, call.symbolicIntegers("repeats"))
        },
        PyTorchOperator("aten.tile.default") { (call) throws(GraphError) in
            let repeats = try call.symbolicIntegers("dims")
            let missing = max(0, try call.meta().rank - repeats.count)
            return try repeated(call, [PyTorchInteger](repeating: .known(1), count: missing) + repeats)
        },
        PyTorchOperator("aten.repeat_interleave.self_int", map: interleaved),
        PyTorchOperator("aten.unfold.default", map: windows),
        PyTorchOperator("aten.flip.default", map: flipped),
        PyTorchOperator("aten.roll.default", map: rolled),
        PyTorchOperator("aten.constant_pad_nd.default") { (call) throws(GraphError) in
            try padded(call, mode: "constant")
        },
        PyTorchOperator("aten.pad.default") { (call) throws(GraphError) in
            try padded(call, mode: call.text("mode", default: "constant"))
        },
        PyTorchOperator(
            "aten.reflection_pad1d.default", "aten.reflection_pad2d.default", "aten.reflection_pad3d.default"
        ) { (call) throws(GraphError) in try padded(call, mode: "reflect") },
        PyTorchOperator(
            "aten.replication_pad1d.default", "aten.replication_pad2d.default",
            "aten.replication_pad3d.default"
        ) { (call) throws(GraphError) in try padded(call, mode: "replicate") },
        PyTorchOperator("aten.pixel_shuffle.default") { (call) throws(GraphError) in
            try call.result(
                "DepthToSpace", [call.value()],
                ["blocksize": .integer(Int64(try call.integer("upscale_factor"))), "mode": .string("CRD")])
        },
        PyTorchOperator("aten.pixel_unshuffle.default", map: pixelUnshuffle),
        PyTorchOperator(
            "aten.channel_shuffle.default", "aten.native_channel_shuffle.default", map: channelShuffle),
        PyTorchOperator("aten.tril.default") { (call) throws(GraphError) in try triangle(call, upper: 0) },
        PyTorchOperator("aten.triu.default") { (call) throws(GraphError) in try triangle(call, upper: 1) },
    ]

    // MARK: - Joining and splitting

    private static func joined(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let output = try call.outputMeta()
        let axis = try call.axis(call.integer("dim", default: 0), rank: output.rank)
        var parts: [String] = []
        for case let name? in try call.tensorNames("tensors") {
            let meta = try call.builder.meta(name)
            // PyTorch leaves out an empty vector among tensors of another rank.
            if meta.dimensions == [.known(0)], output.rank != 1 { continue }
            let value = try call.builder.value(name)
            parts.append(
                meta.elementType == output.elementType ? value : try call.cast(value, to: output.elementType))
        }
        return try call.result("Concat", parts, ["axis": .integer(Int64(axis))])
    }

    private static func stacked(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let axis = try call.axis(call.integer("dim", default: 0), rank: call.outputMeta().rank)
        var parts: [String] = []
        for case let name? in try call.tensorNames("tensors") {
            parts.append(try call.emit("Unsqueeze", [call.builder.value(name), call.vector([axis])]))
        }
        return try call.result("Concat", parts, ["axis": .integer(Int64(axis))])
    }

    /// Into the extents that are stated of the outputs.
    private static func split(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let axis = try call.axis(default: 0)
        var sizes: [Int] = []
        for index in call.node.outputs.indices {
            let dimensions = try call.outputMeta(index).dimensions
            guard axis < dimensions.count, let size = dimensions[axis].value else {
                throw call.refusal("the extents of its parts must be known")
            }
            sizes.append(size)
        }
        return try call.results(
            "Split", [call.value(), call.vector(sizes)], ["axis": .integer(Int64(axis))])
    }

    private static func unbound(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let axis = try call.axis(default: 0)
        var parts: [String] = []
        for (index, name) in call.node.outputs.enumerated() {
            let value = name ?? call.builder.freshValue(call.node.name)
            try call.builder.append(
                "Gather", [call.value(), call.scalar(Double(index), .int64)], ["axis": .integer(Int64(axis))],
                outputs: [value], name: call.node.displayName)
            parts.append(value)
        }
        return parts
    }

    // MARK: - Repeating and moving

    private static func repeated(
        _ call: PyTorchCall, _ repeats: [PyTorchInteger]
    ) throws(GraphError) -> [String] {
        var value = try call.value()
        let missing = repeats.count - (try call.meta().rank)
        guard missing >= 0 else { throw call.refusal("has fewer repeats than axes") }
        if missing > 0 {
            value = try call.emit("Unsqueeze", [value, call.vector(Array(0..<missing))])
        }
        return try call.result("Tile", [value, call.vector(repeats)])
    }

    /// Each element along an axis several times.
    private static func interleaved(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let (rank, count) = (try call.meta().rank, try call.integer("repeats"))
        guard call.has("dim"), rank > 0, count > 0 else { throw call.refusal("takes an axis and a count") }
        let axis = try call.axis()
        let apart = try call.emit("Unsqueeze", [call.value(), call.vector([axis + 1])])
        var repeats = [Int](repeating: 1, count: rank + 1)
        repeats[axis + 1] = count
        let tiled = try call.emit("Tile", [apart, call.vector(repeats)])
        return try PyTorchViews.reshaped(call, target: nil, of: tiled)
    }

    /// Windows along an axis, their elements along a new last axis.
    private static func windows(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let axis = try call.axis("dimension")
        let (size, step) = (try call.integer("size"), try call.integer("step"))
        let (rank, extent) = (try call.meta().rank, try call.extent("self", axis))
        guard rank > 0, size > 0, size <= extent, (1...max(1, extent)).contains(step) else {
            throw call.refusal("windows of \(size), \(step) apart, of \(extent) elements")
        }
        let count = (extent - size) / step + 1
        guard count <= PyTorchLimits.maximumFilledElementCount / size else {
            throw call.refusal("takes more than \(PyTorchLimits.maximumFilledElementCount) elements")
        }
        let positions = (0..<count * size).map { Int64($0 / size * step + $0 % size) }
        let places: Tensor
        do {
            places = try Tensor(positions, shape: Shape([count, size]))
        } catch {
            throw call.refusal("\(error)")
        }
        let taken = try call.emit(
            "Gather", [call.value(), call.builder.add(places, stem: call.node.name + "/windows")],
            ["axis": .integer(Int64(axis))])
        var order = Array(0...rank)
        order.append(order.remove(at: axis + 1))
        return try call.result("Transpose", [taken], ["perm": .integers(order.map(Int64.init))])
    }

    private static func flipped(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let rank = try call.meta().rank
        var axes: [Int] = []
        for axis in try call.integers("dims") { axes.append(try call.axis(axis, rank: rank)) }
        let steps = [Int](repeating: -1, count: axes.count)
        return try call.result(
            "Slice",
            [
                call.value(), call.vector(steps), call.vector([Int](repeating: .min, count: axes.count)),
                call.vector(axes), call.vector(steps),
            ])
    }

    private static func rolled(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let (shifts, dims) = (try call.integers("shifts"), try call.integers("dims", default: []))
        guard !dims.isEmpty, dims.count == shifts.count else {
            throw call.refusal("takes an axis for each shift")
        }
        var value = try call.value()
        for (dim, shift) in zip(dims, shifts) {
            let axis = try call.axis(dim, rank: call.meta().rank)
            let extent = try call.extent("self", axis)
            guard extent > 0 else { continue }
            let begin = ((extent - shift % extent) % extent + extent) % extent
            guard begin > 0 else { continue }
            let tail = try slice(value, begin, .max, axis, call)
            value = try call.emit(
                "Concat", [tail, slice(value, 0, begin, axis, call)], ["axis": .integer(Int64(axis))])
        }
        return [value]
    }

    private static func slice(
        _ value: String, _ begin: Int, _ end: Int, _ axis: Int, _ call: PyTorchCall
    ) throws(GraphError) -> String {
        try call.emit("Slice", [value, call.vector([begin]), call.vector([end]), call.vector([axis])])
    }

    // MARK: - Pads

    /// PyTorch lists pads from the last axis forward, begin and end side by side.
    private static func padded(_ call: PyTorchCall, mode: String) throws(GraphError) -> [String] {
        let pads = try call.integers(call.has("pad") ? "pad" : "padding")
        let rank = try call.meta().rank
        guard pads.count.isMultiple(of: 2), pads.count / 2 <= rank else {
            throw call.refusal("has \(pads.count) pads for rank \(rank)")
        }
        let names = ["constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"]
        guard let name = names[mode] else { throw call.refusal("mode '\(mode)' is not supported") }
        // Those of all axes: ONNX Runtime takes the pads of some axes for those of others.
        var all = [Int](repeating: 0, count: 2 * rank)
        for index in 0..<pads.count / 2 {
            (all[rank - 1 - index], all[2 * rank - 1 - index]) = (pads[2 * index], pads[2 * index + 1])
        }
        var inputs: [String?] = [try call.value(), call.vector(all)]
        let value = try call.real("value", default: 0)
        if mode == "constant" { inputs.append(try call.scalar(value, call.outputMeta().elementType)) }
        return try call.result("Pad", inputs, ["mode": .string(name)])
    }

    // MARK: - Shuffles

    private static func pixelUnshuffle(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let factor = try call.integer("downscale_factor")
        guard try call.meta().rank == 4, factor > 0 else { throw call.refusal("takes inputs of rank 4") }
        let (channels, height, width) = (
            try call.extent("self", 1), try call.extent("self", 2), try call.extent("self", 3)
        )
        let shape = [0, channels, height / factor, factor, width / factor, factor]
        let split = try call.emit("Reshape", [call.value(), call.vector(shape)])
        let moved = try call.emit("Transpose", [split], ["perm": .integers([0, 1, 3, 5, 2, 4])])
        return try call.result(
            "Reshape", [moved, call.vector([0, -1, height / factor, width / factor])])
    }

    private static func channelShuffle(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let (groups, channels, rank) = (
            try call.integer("groups"), try call.extent("self", 1), try call.meta().rank
        )
        guard rank >= 3, groups > 0, channels.isMultiple(of: groups) else {
            throw call.refusal("cannot divide its channels into \(groups) groups")
        }
        let shape = [0, groups, channels / groups, -1]
        let split = try call.emit("Reshape", [call.value(), call.vector(shape)])
        let moved = try call.emit("Transpose", [split], ["perm": .integers([0, 2, 1, 3])])
        return try PyTorchViews.reshaped(call, target: nil, of: moved)
    }

    private static func triangle(_ call: PyTorchCall, upper: Int64) throws(GraphError) -> [String] {
        let diagonal = try call.scalar(Double(call.integer("diagonal", default: 0)), .int64)
        return try call.result("Trilu", [call.value(), diagonal], ["upper": .integer(upper)])
    }
}
