import Graph

/// Integers that follow from extents: each is a vector of one int64.
enum PyTorchIntegers {
    static let operators = [
        PyTorchOperator("aten.sym_size.int") { (call) throws(GraphError) in
            let axis = try call.axis()
            return try call.result(
                "Shape", [call.value()],
                ["start": .integer(Int64(axis)), "end": .integer(Int64(axis + 1))])
        },
        PyTorchOperator("aten.sym_numel.default") { (call) throws(GraphError) in
            try call.result("Unsqueeze", [call.emit("Size", [call.value()]), call.vector([0])])
        },
        PyTorchOperator("_operator.add") { (call) throws(GraphError) in try binary("Add", call) },
        PyTorchOperator("_operator.sub") { (call) throws(GraphError) in try binary("Sub", call) },
        PyTorchOperator("_operator.mul") { (call) throws(GraphError) in try binary("Mul", call) },
        // Extents are not negative: rounding towards zero is rounding down.
        PyTorchOperator("_operator.floordiv") { (call) throws(GraphError) in try binary("Div", call) },
        PyTorchOperator("_operator.mod") { (call) throws(GraphError) in try binary("Mod", call) },
        PyTorchOperator("_operator.neg") { (call) throws(GraphError) in
            try call.result("Neg", [operand(call, 0)])
        },
        PyTorchOperator("torch.sym_max") { (call) throws(GraphError) in try binary("Max", call) },
        PyTorchOperator("torch.sym_min") { (call) throws(GraphError) in try binary("Min", call) },
    ]

    private static func binary(_ type: String, _ call: PyTorchCall) throws(GraphError) -> [String] {
        try call.result(type, [operand(call, 0), operand(call, 1)])
    }

    /// Python's operators have arguments by position; the file may name them a and b.
    private static func operand(_ call: PyTorchCall, _ index: Int) throws(GraphError) -> String {
        let names = ["\(index)", index == 0 ? "a" : "b", index == 0 ? "self" : "other"]
        guard let name = names.first(where: call.has) else {
            throw call.refusal("has no operand \(index)")
        }
        return try call.vector([call.symbolicInteger(name)])
    }
}
