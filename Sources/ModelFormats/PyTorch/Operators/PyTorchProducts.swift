import Graph

/// Dense layers and matrix products.
enum PyTorchProducts {
    static let operators = [
        PyTorchOperator("aten.linear.default", map: linear),
        PyTorchOperator("aten.addmm.default", map: addmm),
        PyTorchOperator("aten.mm.default", "aten.bmm.default") { (call) throws(GraphError) in
            try call.result("MatMul", [call.value(), call.value("mat2")])
        },
        PyTorchOperator("aten.matmul.default", "aten.__matmul__.default") { (call) throws(GraphError) in
            try call.result("MatMul", [call.value(), call.value("other")])
        },
        PyTorchOperator("aten.mv.default") { (call) throws(GraphError) in
            try call.result("MatMul", [call.value(), call.value("vec")])
        },
        PyTorchOperator("aten.outer.default") { (call) throws(GraphError) in
            let column = try call.emit("Unsqueeze", [call.value(), call.vector([1])])
            return try call.result("Mul", [column, call.value("vec2")])
        },
        PyTorchOperator("aten.baddbmm.default", map: baddbmm),
        PyTorchOperator("aten.einsum.default", map: einsum),
        PyTorchOperator("aten.embedding.default") { (call) throws(GraphError) in
            try call.result("Gather", [call.value("weight"), call.value("indices")], ["axis": .integer(0)])
        },
    ]

    /// y = x·Wᵀ + b. The weight stays as it is stored where a Gemm can take it.
    private static func linear(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let input = try call.value("input")
        let bias = try call.optionalValue("bias")
        guard try call.meta("weight").rank == 2 else { throw call.refusal("takes a weight of rank 2") }
        if try call.meta("input").rank == 2 {
            return try call.result(
                "Gemm", [input, call.value("weight")] + (bias.map { [$0] } ?? []), ["transB": .integer(1)])
        }
        let weight = try PyTorchViews.permuted("weight", [1, 0], call)
        guard let bias else { return try call.result("MatMul", [input, weight]) }
        return try call.result("Add", [call.emit("MatMul", [input, weight]), bias])
    }

    private static func addmm(_ call: PyTorchCall) throws(GraphError) -> [String] {
        try call.result(
            "Gemm", [call.value("mat1"), call.value("mat2"), call.value()],
            [
                "alpha": .real(Float(try call.real("alpha", default: 1))),
                "beta": .real(Float(try call.real("beta", default: 1))),
            ])
    }

    private static func baddbmm(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let type = try call.outputMeta().elementType
        var product = try call.emit("MatMul", [call.value("batch1"), call.value("batch2")])
        var sum = try call.value()
        let (alpha, beta) = (try call.real("alpha", default: 1), try call.real("beta", default: 1))
        if alpha != 1 { product = try call.emit("Mul", [product, call.scalar(alpha, type)]) }
        if beta != 1 { sum = try call.emit("Mul", [sum, call.scalar(beta, type)]) }
        return try call.result("Add", [sum, product])
    }

    private static func einsum(_ call: PyTorchCall) throws(GraphError) -> [String] {
        var operands: [String?] = []
        for case let name? in try call.tensorNames("tensors") {
            operands.append(try call.builder.value(name))
        }
        let equation = try call.text("equation", default: "")
        return try call.result("Einsum", operands, ["equation": .string(equation)])
    }
}
