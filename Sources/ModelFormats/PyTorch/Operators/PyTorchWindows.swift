import Graph
import Tensors

/// Windows of images as columns, and columns added up to images: `Unfold` and `Fold`.
///
/// Both are convolutions, one group a channel, whose kernels have a single 1 each.
enum PyTorchWindows {
    static let operators = [
        PyTorchOperator("aten.im2col.default", map: columns),
        PyTorchOperator("aten.col2im.default", map: images),
    ]

    private struct Window {
        let kernel: [Int]
        let strides: [Int]
        let pads: [Int]
        let dilations: [Int]

        init(_ call: PyTorchCall) throws(GraphError) {
            kernel = try call.perAxis("kernel_size", count: 2, default: 1)
            strides = try call.perAxis("stride", count: 2, default: 1)
            pads = try call.perAxis("padding", count: 2, default: 0)
            dilations = try call.perAxis("dilation", count: 2, default: 1)
            let isUsable =
                (kernel + strides + dilations).allSatisfy { (1...Window.maximumExtent).contains($0) }
                && pads.allSatisfy { (0...Window.maximumExtent).contains($0) }
            guard isUsable else { throw call.refusal("its windows are not usable") }
        }

        private static let maximumExtent = 1 << 20

        var size: Int { kernel[0] * kernel[1] }

        /// How far a window reaches along an axis.
        func extent(_ axis: Int) -> Int { dilations[axis] * (kernel[axis] - 1) + 1 }

        func attributes(channels: Int) -> [String: Attribute] {
            [
                "kernel_shape": .integers(kernel.map(Int64.init)),
                "strides": .integers(strides.map(Int64.init)),
                "pads": .integers((pads + pads).map(Int64.init)),
                "dilations": .integers(dilations.map(Int64.init)), "group": .integer(Int64(channels)),
            ]
        }

        /// [channels·size, 1, rows, columns]: the i-th of a channel's kernels takes the i-th element.
        func weight(channels: Int, _ call: PyTorchCall) throws(GraphError) -> String {
            let limit = PyTorchLimits.maximumFilledElementCount
            guard channels > 0, size <= limit, channels <= limit / size / size else {
                throw call.refusal("\(channels) channels in windows of \(size) elements are too many")
            }
            var elements = [Float](repeating: 0, count: channels * size * size)
            for row in 0..<channels * size { elements[row * size + row % size] = 1 }
            do {
                let tensor = try Tensor(elements, shape: Shape([channels * size, 1] + kernel))
                return call.builder.add(tensor, stem: call.node.name + "/windows")
            } catch {
                throw call.refusal("\(error)")
            }
        }
    }

    /// [N, C, H, W] becomes [N, C·size, positions].
    private static func columns(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let (window, meta) = (try Window(call), try call.meta())
        guard meta.rank == 4, meta.elementType == .float32 else {
            throw call.refusal("takes float32 inputs of rank 4")
        }
        let channels = try call.extent("self", 1)
        let taken = try call.emit(
            "Conv", [call.value(), window.weight(channels: channels, call)],
            window.attributes(channels: channels))
        return try call.result("Reshape", [taken, call.vector([0, channels * window.size, -1])])
    }

    /// [N, C·size, positions] becomes [N, C, H, W]; where windows overlap their elements are added.
    private static func images(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let (window, meta) = (try Window(call), try call.meta())
        let extents = try call.integers("output_size")
        guard meta.rank == 3, meta.elementType == .float32, extents.count == 2,
            extents.allSatisfy({ (1...PyTorchLimits.maximumFilledElementCount).contains($0) })
        else { throw call.refusal("takes float32 inputs of rank 3 and gives images, not \(extents)") }
        let rows = try call.extent("self", 1)
        guard rows.isMultiple(of: window.size) else {
            throw call.refusal("\(rows) rows are no windows of \(window.size) elements")
        }
        let channels = rows / window.size
        var (counts, rests): ([Int], [Int]) = ([], [])
        for axis in 0..<2 {
            let room = extents[axis] + 2 * window.pads[axis] - window.extent(axis)
            guard room >= 0 else { throw call.refusal("no window goes into \(extents)") }
            counts.append(room / window.strides[axis] + 1)
            rests.append(room % window.strides[axis])
        }
        let apart = try call.emit("Reshape", [call.value(), call.vector([0, rows] + counts)])
        var attributes = window.attributes(channels: channels)
        attributes["output_padding"] = .integers(rests.map(Int64.init))
        return try call.result(
            "ConvTranspose", [apart, window.weight(channels: channels, call)], attributes)
    }
}
