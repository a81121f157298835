import Graph
import Tensors

/// Comparisons, logic, choices and changes of the element type.
enum PyTorchComparison {
    static let operators = [
        PyTorchOperator("aten.eq.Tensor", "aten.eq.Scalar") { (call) throws(GraphError) in
            try compared("Equal", call)
        },
        PyTorchOperator(
            "aten.ne.Tensor", "aten.ne.Scalar", "aten.not_equal.Tensor", "aten.not_equal.Scalar"
        ) { (call) throws(GraphError) in
            let operands = try operands(call)
            return try call.result("Not", [call.emit("Equal", operands)])
        },
        PyTorchOperator(
            "aten.lt.Tensor", "aten.lt.Scalar", "aten.less.Tensor", "aten.less.Scalar"
        ) { (call) throws(GraphError) in
            try compared("Less", call)
        },
        PyTorchOperator(
            "aten.le.Tensor", "aten.le.Scalar", "aten.less_equal.Tensor", "aten.less_equal.Scalar"
        ) { (call) throws(GraphError) in
            try compared("LessOrEqual", call)
        },
        PyTorchOperator(
            "aten.gt.Tensor", "aten.gt.Scalar", "aten.greater.Tensor", "aten.greater.Scalar"
        ) { (call) throws(GraphError) in
            try compared("Greater", call)
        },
        PyTorchOperator(
            "aten.ge.Tensor", "aten.ge.Scalar", "aten.greater_equal.Tensor", "aten.greater_equal.Scalar"
        ) { (call) throws(GraphError) in
            try compared("GreaterOrEqual", call)
        },
        PyTorchOperator("aten.logical_not.default", "aten.bitwise_not.default") { (call) throws(GraphError) in
            try call.result("Not", [boolean("self", call)])
        },
        PyTorchOperator("aten.logical_and.default", "aten.bitwise_and.Tensor", "aten.__and__.Tensor") {
            (call) throws(GraphError) in
            try call.result("And", [boolean("self", call), boolean("other", call)])
        },
        PyTorchOperator("aten.logical_or.default", "aten.bitwise_or.Tensor", "aten.__or__.Tensor") {
            (call) throws(GraphError) in
            try call.result("Or", [boolean("self", call), boolean("other", call)])
        },
        PyTorchOperator("aten.logical_xor.default", "aten.bitwise_xor.Tensor", "aten.__xor__.Tensor") {
            (call) throws(GraphError) in
            try call.result("Xor", [boolean("self", call), boolean("other", call)])
        },
        PyTorchOperator("aten.any.dim", "aten.any.dims", "aten.any.default") { (call) throws(GraphError) in
            try quantified("ReduceMax", call)
        },
        PyTorchOperator("aten.all.dim", "aten.all.dims", "aten.all.default") { (call) throws(GraphError) in
            try quantified("ReduceMin", call)
        },
        PyTorchOperator("aten.isinf.default") { (call) throws(GraphError) in
            try call.result("IsInf", [call.value()])
        },
        PyTorchOperator("aten.isfinite.default") { (call) throws(GraphError) in
            let isOther = try call.emit(
                "Or", [call.emit("IsNaN", [call.value()]), call.emit("IsInf", [call.value()])])
            return try call.result("Not", [isOther])
        },
        PyTorchOperator(
            "aten.where.self", "aten.where.ScalarOther", "aten.where.ScalarSelf", "aten.where.Scalar"
        ) { (call) throws(GraphError) in
            let type = try call.outputMeta().elementType
            return try call.result(
                "Where",
                [
                    call.value("condition"), PyTorchArithmetic.operand("self", as: type, call),
                    PyTorchArithmetic.operand("other", as: type, call),
                ])
        },
        PyTorchOperator("aten.masked_fill.Scalar", "aten.masked_fill.Tensor") { (call) throws(GraphError) in
            let type = try call.outputMeta().elementType
            return try call.result(
                "Where",
                [
                    call.value("mask"), PyTorchArithmetic.operand("value", as: type, call), call.value(),
                ])
        },
        PyTorchOperator("aten.isnan.default") { (call) throws(GraphError) in
            try call.result("IsNaN", [call.value()])
        },
        PyTorchOperator(
            "aten.to.dtype", "aten.to.device", "aten.to.dtype_layout", "aten.to.other",
            "aten._to_copy.default",
            "aten.type_as.default", isView: true, map: converted),
    ]

    private static func compared(_ type: String, _ call: PyTorchCall) throws(GraphError) -> [String] {
        try call.result(type, operands(call))
    }

    /// Both operands in the element type that both are compared in.
    private static func operands(_ call: PyTorchCall) throws(GraphError) -> [String?] {
        let left = try call.meta().elementType
        let right: ElementType
        switch call.node.arguments["other"] {
        case .tensor: right = try call.meta("other").elementType
        // A number changes the tensor's type only when it is of a greater kind.
        case .real: right = left.isFloatingPoint ? left : .float32
        default: right = left == .bool ? .int64 : left
        }
        let type = promoted(left, right)
        return [
            try PyTorchArithmetic.operand("self", as: type, call),
            try PyTorchArithmetic.operand("other", as: type, call),
        ]
    }

    /// The wider of two types of a kind, else the one of the greater kind: reals before integers before booleans.
    private static func promoted(_ left: ElementType, _ right: ElementType) -> ElementType {
        func rank(_ type: ElementType) -> Int {
            (type.isFloatingPoint ? 200 : type.isInteger ? 100 : 0) + type.byteCount
        }
        return rank(left) >= rank(right) ? left : right
    }

    /// Whether any or all elements are not 0, counted in integers.
    private static func quantified(_ type: String, _ call: PyTorchCall) throws(GraphError) -> [String] {
        let truths = try call.cast(call.cast(call.value(), to: .bool), to: .int32)
        let reduced = try call.emit(
            type, [truths, call.vector(PyTorchReduction.axes(call))],
            ["keepdims": .integer(try call.flag("keepdim") ? 1 : 0)])
        return try call.result(
            "Cast", [reduced], ["to": .integer(Int64(ONNXElementType.number(.bool)))])
    }

    private static func boolean(_ name: String, _ call: PyTorchCall) throws(GraphError) -> String {
        guard try call.meta(name).elementType == .bool else { throw call.refusal("takes booleans only") }
        return try call.value(name)
    }

    private static func converted(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let type = try call.outputMeta().elementType
        let value = try call.value()
        guard try call.meta().elementType != type else { return [value] }
        return try call.result("Cast", [value], ["to": .integer(Int64(ONNXElementType.number(type)))])
    }
}
