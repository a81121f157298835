import Graph
import Tensors

/// Poolings.
enum PyTorchPooling {
    static let operators = [
        PyTorchOperator(
            "aten.max_pool1d.default", "aten.max_pool1d_with_indices.default",
            map: { (call) throws(GraphError) in try maximum(call, axes: 1) }),
        PyTorchOperator(
            "aten.max_pool2d.default", "aten.max_pool2d_with_indices.default",
            map: { (call) throws(GraphError) in try maximum(call, axes: 2) }),
        PyTorchOperator(
            "aten.max_pool3d.default", "aten.max_pool3d_with_indices.default",
            map: { (call) throws(GraphError) in try maximum(call, axes: 3) }),
        PyTorchOperator("aten.avg_pool1d.default") { (call) throws(GraphError) in try average(call, axes: 1)
        },
        PyTorchOperator("aten.avg_pool2d.default") { (call) throws(GraphError) in try average(call, axes: 2)
        },
        PyTorchOperator("aten.avg_pool3d.default") { (call) throws(GraphError) in try average(call, axes: 3)
        },
        PyTorchOperator(
            "aten.adaptive_avg_pool1d.default",
            map: { (call) throws(GraphError) in try adaptiveAverage(call, axes: 1) }),
        PyTorchOperator(
            "aten.adaptive_avg_pool2d.default", "aten._adaptive_avg_pool2d.default",
            map: { (call) throws(GraphError) in try adaptiveAverage(call, axes: 2) }),
        PyTorchOperator(
            "aten.adaptive_avg_pool3d.default", "aten._adaptive_avg_pool3d.default",
            map: { (call) throws(GraphError) in try adaptiveAverage(call, axes: 3) }),
        PyTorchOperator("aten.adaptive_max_pool1d.default") { (call) throws(GraphError) in
            try adaptiveMaximum(call, axes: 1)
        },
        PyTorchOperator("aten.adaptive_max_pool2d.default") { (call) throws(GraphError) in
            try adaptiveMaximum(call, axes: 2)
        },
        PyTorchOperator("aten.adaptive_max_pool3d.default") { (call) throws(GraphError) in
            try adaptiveMaximum(call, axes: 3)
        },
    ]

    /// PyTorch's indices count within a channel, ONNX's within the tensor: only the maxima are given.
    private static func maximum(_ call: PyTorchCall, axes: Int) throws(GraphError) -> [String] {
        var attributes = try window(call, axes: axes)
        attributes["dilations"] = .integers(
            try call.perAxis("dilation", count: axes, default: 1).map(Int64.init))
        return try call.result("MaxPool", [call.value()], attributes)
    }

    private static func average(_ call: PyTorchCall, axes: Int) throws(GraphError) -> [String] {
        var attributes = try window(call, axes: axes)
        let input = try call.value()
        guard call.has("divisor_override") else {
            let counts = try call.flag("count_include_pad", default: true)
            attributes["count_include_pad"] = .integer(counts ? 1 : 0)
            return try call.result("AveragePool", [input], attributes)
        }
        guard try !call.flag("ceil_mode") else {
            throw call.refusal("divisor_override together with ceil_mode is not supported")
        }
        attributes["count_include_pad"] = .integer(1)
        let kernel = try call.perAxis("kernel_size", count: axes, default: 1)
        let area = kernel.reduce(1.0) { $0 * Double($1) }
        let factor = area / (try call.real("divisor_override"))
        let type = try call.outputMeta().elementType
        return try call.result(
            "Mul", [call.emit("AveragePool", [input], attributes), call.scalar(factor, type)])
    }

    private static func window(_ call: PyTorchCall, axes: Int) throws(GraphError) -> [String: Attribute] {
        guard try call.meta().rank == axes + 2 else {
            throw call.refusal("takes inputs of rank \(axes + 2), a batch axis among them")
        }
        let kernel = try call.perAxis("kernel_size", count: axes, default: 1)
        // Without a stride, windows stand side by side.
        let stated = try call.integers("stride", default: [])
        let strides = stated.isEmpty ? kernel : try call.perAxis("stride", count: axes, default: 1)
        let pads = try call.perAxis("padding", count: axes, default: 0)
        return [
            "kernel_shape": .integers(kernel.map(Int64.init)),
            "strides": .integers(strides.map(Int64.init)),
            "pads": .integers((pads + pads).map(Int64.init)),
            "ceil_mode": .integer(try call.flag("ceil_mode") ? 1 : 0),
        ]
    }

    // MARK: - Adaptive pools

    private static func adaptiveMaximum(_ call: PyTorchCall, axes: Int) throws(GraphError) -> [String] {
        let sizes = try sizes(call, axes: axes)
        if sizes.allSatisfy({ $0 == 1 }) { return try call.result("GlobalMaxPool", [call.value()]) }
        guard let attributes = try evenWindow(call, sizes) else {
            throw call.refusal("an output size that does not divide the input's is not supported")
        }
        return try call.result("MaxPool", [call.value()], attributes)
    }

    private static func adaptiveAverage(_ call: PyTorchCall, axes: Int) throws(GraphError) -> [String] {
        let sizes = try sizes(call, axes: axes)
        if sizes.allSatisfy({ $0 == 1 }) { return try call.result("GlobalAveragePool", [call.value()]) }
        if let attributes = try evenWindow(call, sizes) {
            return try call.result("AveragePool", [call.value()], attributes)
        }
        return try uneven(call, sizes)
    }

    private static func sizes(_ call: PyTorchCall, axes: Int) throws(GraphError) -> [Int] {
        guard try call.meta().rank == axes + 2 else {
            throw call.refusal("takes inputs of rank \(axes + 2), a batch axis among them")
        }
        let sizes = try call.perAxis("output_size", count: axes, default: 1)
        guard sizes.allSatisfy({ $0 > 0 }) else { throw call.refusal("output sizes must be above 0") }
        return sizes
    }

    /// Windows side by side, where the output's extents divide the input's.
    private static func evenWindow(_ call: PyTorchCall, _ sizes: [Int]) throws(GraphError) -> [String:
        Attribute]?
    {
        var kernel: [Int64] = []
        for (axis, size) in sizes.enumerated() {
            let extent = try call.extent("self", axis + 2)
            guard extent.isMultiple(of: size), extent > 0 else { return nil }
            kernel.append(Int64(extent / size))
        }
        return ["kernel_shape": .integers(kernel), "strides": .integers(kernel)]
    }

    /// Windows of different extents: output i is the mean of inputs ⌊i·n/m⌋ up to ⌈(i+1)·n/m⌉, a product with a matrix for
    /// each axis.
    private static func uneven(_ call: PyTorchCall, _ sizes: [Int]) throws(GraphError) -> [String] {
        let type = try call.outputMeta().elementType
        guard type == .float32, sizes.count <= 2 else {
            throw call.refusal("an output size that does not divide the input's takes float32 and two axes")
        }
        let inputs = [try call.extent("self", 2)] + (sizes.count > 1 ? [try call.extent("self", 3)] : [])
        var value = try call.value()
        if sizes.count > 1 {
            let rows = try matrix(inputs[0], sizes[0], call)
            value = try call.emit("MatMul", [call.builder.add(rows, stem: call.node.name + "/rows"), value])
        }
        let columns = try matrix(inputs[inputs.count - 1], sizes[sizes.count - 1], call, isTransposed: true)
        return try call.result(
            "MatMul", [value, call.builder.add(columns, stem: call.node.name + "/columns")])
    }

    private static func matrix(
        _ input: Int, _ output: Int, _ call: PyTorchCall, isTransposed: Bool = false
    ) throws(GraphError) -> Tensor {
        let (count, overflow) = input.multipliedReportingOverflow(by: output)
        guard input > 0, !overflow, count <= PyTorchLimits.maximumFilledElementCount else {
            throw call.refusal("an output size of \(output) for \(input) elements is not supported")
        }
        var elements = [Float](repeating: 0, count: count)
        for row in 0..<output {
            let begin = row * input / output
            let end = ((row + 1) * input + output - 1) / output
            for column in begin..<end {
                let place = isTransposed ? column * output + row : row * input + column
                elements[place] = 1 / Float(end - begin)
            }
        }
        do {
            return try Tensor(elements, shape: Shape(isTransposed ? [input, output] : [output, input]))
        } catch {
            throw call.refusal("\(error)")
        }
    }
}
