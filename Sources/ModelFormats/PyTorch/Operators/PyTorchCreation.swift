import Graph
import Tensors

/// Tensors that are filled with a number or counted up.
enum PyTorchCreation {
    static let operators = [
        // What is empty has any elements until it is written into.
        PyTorchOperator(
            "aten.zeros.default", "aten.new_zeros.default", "aten.zeros_like.default",
            "aten.empty.memory_format", "aten.new_empty.default", "aten.empty_like.default",
            "aten.empty_permuted.default"
        ) { (call) throws(GraphError) in try filled(call, 0) },
        PyTorchOperator("aten.ones.default", "aten.new_ones.default", "aten.ones_like.default") {
            (call) throws(GraphError) in try filled(call, 1)
        },
        PyTorchOperator("aten.full.default", "aten.new_full.default", "aten.full_like.default") {
            (call) throws(GraphError) in try filled(call, call.real("fill_value"))
        },
        PyTorchOperator("aten.scalar_tensor.default") { (call) throws(GraphError) in
            try filled(call, call.real("s"))
        },
        PyTorchOperator("aten.fill.Scalar", "aten.fill.Tensor", "aten.copy.default", "aten.zero.default") {
            (call) throws(GraphError) in
            let type = try call.outputMeta().elementType
            let name = call.has("src") ? "src" : "value"
            let value =
                call.has(name)
                ? try PyTorchArithmetic.operand(name, as: type, call) : try call.scalar(0, type)
            return try call.result("Expand", [value, shape(call)])
        },
        PyTorchOperator("aten.linspace.default") { (call) throws(GraphError) in
            let count = try call.integer("steps")
            let (start, end) = (try call.real("start"), try call.real("end"))
            return try counted(call, start: start, step: (end - start) / Double(max(1, count - 1)))
        },
        PyTorchOperator("aten.eye.default", "aten.eye.m", map: identity),
        PyTorchOperator("aten.one_hot.default") { (call) throws(GraphError) in
            let count = try call.integer("num_classes", default: -1)
            guard count > 0 else { throw call.refusal("the number of classes must be known") }
            let values = call.builder.vector([0, 1])
            return try call.result(
                "OneHot", [call.value(), call.vector([count]), values], ["axis": .integer(-1)])
        },
        PyTorchOperator("aten.arange.default", "aten.arange.start", "aten.arange.start_step") {
            (call) throws(GraphError) in
            try counted(
                call, start: call.real("start", default: 0), step: call.real("step", default: 1))
        },
    ]

    /// The input's shape.
    private static func shape(_ call: PyTorchCall) throws(GraphError) -> String {
        let extents = try call.meta().dimensions.compactMap(\.value)
        return try extents.count == call.meta().rank
            ? call.vector(extents) : call.emit("Shape", [call.value()])
    }

    private static func filled(_ call: PyTorchCall, _ value: Double) throws(GraphError) -> [String] {
        let meta = try call.outputMeta()
        let extents = meta.dimensions.compactMap(\.value)
        let result: String
        if extents.count == meta.rank {
            guard let shape = try? Shape(extents), shape.count <= PyTorchLimits.maximumFilledElementCount
            else {
                throw call.refusal("fills more than \(PyTorchLimits.maximumFilledElementCount) elements")
            }
            let tensor = PyTorchGraphBuilder.filled(value, meta.elementType, shape)
            let name = call.builder.add(tensor, stem: call.node.name + "/fill")
            result = tensor.elementType == meta.elementType ? name : try call.cast(name, to: meta.elementType)
        } else {
            let shape =
                call.has("size")
                ? try call.vector(call.symbolicIntegers("size")) : try call.emit("Shape", [call.value()])
            result = try call.emit("Expand", [call.scalar(value, meta.elementType), shape])
        }
        call.builder.note(result, fill: value)
        return [result]
    }

    /// Ones on the diagonal.
    private static func identity(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let meta = try call.outputMeta()
        let extents = meta.dimensions.compactMap(\.value)
        guard extents.count == 2, meta.rank == 2, let shape = try? Shape(extents),
            shape.count <= PyTorchLimits.maximumFilledElementCount
        else { throw call.refusal("its extents must be known, and not too large") }
        let elements = (0..<shape.count).map { $0 / extents[1] == $0 % extents[1] ? Float(1) : 0 }
        guard let tensor = try? Tensor(elements, shape: shape) else {
            throw call.refusal("\(extents) is no shape")
        }
        let name = call.builder.add(tensor, stem: call.node.name)
        return [meta.elementType == .float32 ? name : try call.cast(name, to: meta.elementType)]
    }

    private static func counted(
        _ call: PyTorchCall, start: Double, step: Double
    ) throws(GraphError) -> [String] {
        let meta = try call.outputMeta()
        guard meta.rank == 1, let count = meta.dimensions[0].value else {
            guard meta.elementType == .int64, step == 1, start == 0 else {
                throw call.refusal("its length must be known")
            }
            return try call.result(
                "Range",
                [
                    call.scalar(0, .int64), PyTorchArithmetic.operand("end", as: .int64, call),
                    call.scalar(1, .int64),
                ])
        }
        guard count <= PyTorchLimits.maximumFilledElementCount else {
            throw call.refusal("counts more than \(PyTorchLimits.maximumFilledElementCount) elements")
        }
        let values = (0..<count).map { start + Double($0) * step }
        let tensor: Tensor
        if meta.elementType == .int64 {
            tensor = Tensor(values.map { Int64(exactly: $0.rounded(.down)) ?? 0 })
        } else {
            tensor = Tensor(values.map { Float($0) })
        }
        let name = call.builder.add(tensor, stem: call.node.name)
        return [tensor.elementType == meta.elementType ? name : try call.cast(name, to: meta.elementType)]
    }
}
