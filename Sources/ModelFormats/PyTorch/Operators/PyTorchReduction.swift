import Graph
import Tensors

/// Reductions along axes.
enum PyTorchReduction {
    static let operators = [
        PyTorchOperator("aten.mean.dim", "aten.mean.default") { (call) throws(GraphError) in
            try reduced("ReduceMean", call)
        },
        PyTorchOperator("aten.sum.dim_IntList", "aten.sum.default") { (call) throws(GraphError) in
            try reduced("ReduceSum", call)
        },
        PyTorchOperator("aten.prod.dim_int", "aten.prod.default") { (call) throws(GraphError) in
            try reduced("ReduceProd", call)
        },
        PyTorchOperator("aten.amax.default", "aten.max.default") { (call) throws(GraphError) in
            try reduced("ReduceMax", call)
        },
        PyTorchOperator("aten.amin.default", "aten.min.default") { (call) throws(GraphError) in
            try reduced("ReduceMin", call)
        },
        PyTorchOperator("aten.logsumexp.default") { (call) throws(GraphError) in
            try reduced("ReduceLogSumExp", call)
        },
        PyTorchOperator("aten.max.dim") { (call) throws(GraphError) in
            try extreme("ReduceMax", "ArgMax", call)
        },
        PyTorchOperator("aten.min.dim") { (call) throws(GraphError) in
            try extreme("ReduceMin", "ArgMin", call)
        },
        PyTorchOperator("aten.argmax.default") { (call) throws(GraphError) in
            try position("ArgMax", call)
        },
        PyTorchOperator("aten.argmin.default") { (call) throws(GraphError) in
            try position("ArgMin", call)
        },
        PyTorchOperator("aten.linalg_vector_norm.default", "aten.norm.ScalarOpt_dim", "aten.norm.Scalar") {
            (call) throws(GraphError) in
            switch try call.real(call.has("p") ? "p" : "ord", default: 2) {
            case 1: try reduced("ReduceL1", call)
            case 2: try reduced("ReduceL2", call)
            default: throw call.refusal("norms other than 1 and 2 are not supported")
            }
        },
        PyTorchOperator("aten.var.correction", "aten.var.dim") { (call) throws(GraphError) in
            try call.result("Identity", [variance(call)])
        },
        PyTorchOperator("aten.std.correction", "aten.std.dim") { (call) throws(GraphError) in
            try call.result("Sqrt", [variance(call)])
        },
        PyTorchOperator("aten.var_mean.correction", "aten.var_mean.dim") { (call) throws(GraphError) in
            [try variance(call), try mean(call)]
        },
        PyTorchOperator("aten.std_mean.correction", "aten.std_mean.dim") { (call) throws(GraphError) in
            [try call.emit("Sqrt", [variance(call)]), try mean(call)]
        },
        PyTorchOperator("aten.sort.default", "aten.sort.stable") { (call) throws(GraphError) in
            try sorted(call)
        },
        PyTorchOperator("aten.argsort.default", "aten.argsort.stable") { (call) throws(GraphError) in
            [try sorted(call)[1]]
        },
        PyTorchOperator("aten.aminmax.default") { (call) throws(GraphError) in
            let keeps: Attribute = .integer(try call.flag("keepdim") ? 1 : 0)
            let axes = try call.has("dim") ? [call.axis()] : Array(0..<call.meta().rank)
            return [
                try call.emit("ReduceMin", [call.value(), call.vector(axes)], ["keepdims": keeps]),
                try call.emit("ReduceMax", [call.value(), call.vector(axes)], ["keepdims": keeps]),
            ]
        },
        PyTorchOperator("aten.cosine_similarity.default", map: cosine),
        PyTorchOperator("aten.cumsum.default") { (call) throws(GraphError) in
            let type = try call.outputMeta().elementType
            return try call.result(
                "CumSum",
                [
                    PyTorchArithmetic.operand("self", as: type, call),
                    call.scalar(Double(call.axis()), .int64),
                ])
        },
        PyTorchOperator("aten.topk.default") { (call) throws(GraphError) in
            try call.results(
                "TopK", [call.value(), call.vector(call.symbolicIntegers("k"))],
                [
                    "axis": .integer(Int64(try call.axis(default: -1))),
                    "largest": .integer(try call.flag("largest", default: true) ? 1 : 0),
                    "sorted": .integer(try call.flag("sorted", default: true) ? 1 : 0),
                ])
        },
    ]

    /// The axes of argument `dim`; none or an empty list stands for all.
    static func axes(_ call: PyTorchCall) throws(GraphError) -> [Int] {
        let rank = try call.meta().rank
        var axes: [Int] = []
        for axis in try call.integers("dim", default: []) { axes.append(try call.axis(axis, rank: rank)) }
        return axes.isEmpty ? Array(0..<rank) : axes.sorted()
    }

    private static func reduced(_ type: String, _ call: PyTorchCall) throws(GraphError) -> [String] {
        let input = try PyTorchArithmetic.operand("self", as: call.outputMeta().elementType, call)
        return try call.result(
            type, [input, call.vector(axes(call))],
            ["keepdims": .integer(try call.flag("keepdim") ? 1 : 0)])
    }

    /// The greatest or least elements along an axis, and where they are.
    private static func extreme(
        _ type: String, _ position: String, _ call: PyTorchCall
    ) throws(GraphError) -> [String] {
        let keeps: Attribute = .integer(try call.flag("keepdim") ? 1 : 0)
        let axis = try call.axis()
        let values = try call.result(type, [call.value(), call.vector([axis])], ["keepdims": keeps])
        guard call.node.outputs.count > 1, let name = call.node.outputs[1] else { return values }
        try call.builder.append(
            position, [call.value()], ["axis": .integer(Int64(axis)), "keepdims": keeps], outputs: [name],
            name: call.node.displayName + "/" + position)
        return values + [name]
    }

    private static func position(_ type: String, _ call: PyTorchCall) throws(GraphError) -> [String] {
        let keeps = try call.flag("keepdim")
        guard call.has("dim") else {
            let flat = try call.emit("Reshape", [call.value(), call.vector([-1])])
            guard !keeps else { throw call.refusal("keepdim without dim is not supported") }
            return try call.result(type, [flat], ["axis": .integer(0), "keepdims": .integer(0)])
        }
        return try call.result(
            type, [call.value()],
            ["axis": .integer(Int64(try call.axis())), "keepdims": .integer(keeps ? 1 : 0)])
    }

    private static func mean(_ call: PyTorchCall) throws(GraphError) -> String {
        try call.emit(
            "ReduceMean", [call.value(), call.vector(axes(call))],
            ["keepdims": .integer(try call.flag("keepdim") ? 1 : 0)])
    }

    /// All elements along an axis, in order, and where they were.
    private static func sorted(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let axis = try call.axis(default: -1)
        let count = try call.vector([call.extent("self", axis)])
        let names = [
            call.builder.freshValue(call.node.name + "/values"),
            call.builder.freshValue(call.node.name + "/indices"),
        ]
        try call.builder.append(
            "TopK", [call.value(), count],
            [
                "axis": .integer(Int64(axis)), "sorted": .integer(1),
                "largest": .integer(try call.flag("descending") ? 1 : 0),
            ], outputs: names, name: call.node.displayName)
        return names
    }

    /// Σxy/(max(‖x‖, ε)·max(‖y‖, ε)).
    private static func cosine(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let rank = try call.meta("x1").rank
        let axes = call.vector([try call.axis(call.integer("dim", default: 1), rank: rank)])
        let epsilon = try call.scalar(call.real("eps", default: 1e-8), call.outputMeta().elementType)
        var lengths: [String] = []
        for name in ["x1", "x2"] {
            let length = try call.emit("ReduceL2", [call.value(name), axes], ["keepdims": .integer(0)])
            lengths.append(try call.emit("Max", [length, epsilon]))
        }
        let product = try call.emit("Mul", [call.value("x1"), call.value("x2")])
        let sum = try call.emit("ReduceSum", [product, axes], ["keepdims": .integer(0)])
        return try call.result("Div", [sum, call.emit("Mul", [lengths[0], lengths[1]])])
    }

    /// Σ(x − mean)²/(n − correction).
    private static func variance(_ call: PyTorchCall) throws(GraphError) -> String {
        let axes = try axes(call)
        var correction = try call.real("correction", default: 1)
        if call.has("unbiased") { correction = try call.flag("unbiased") ? 1 : 0 }
        var count = 1.0
        for axis in axes { count *= Double(try call.extent("self", axis)) }
        let (input, keeps) = (try call.value(), try call.flag("keepdim"))
        let centred = try call.emit(
            "Sub", [input, call.emit("ReduceMean", [input, call.vector(axes)], ["keepdims": .integer(1)])])
        let mean = try call.emit(
            "ReduceMean", [call.emit("Mul", [centred, centred]), call.vector(axes)],
            ["keepdims": .integer(keeps ? 1 : 0)])
        guard correction != 0 else { return mean }
        let factor = count / max(0, count - correction)
        return try call.emit("Mul", [mean, call.scalar(factor, call.outputMeta().elementType)])
    }
}
