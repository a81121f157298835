import Graph
import Tensors

/// Arithmetic, element by element, with PyTorch's promotion of element types.
enum PyTorchArithmetic {
    static let operators = [
        PyTorchOperator("aten.add.Tensor", "aten.add.Scalar") { (call) throws(GraphError) in
            try scaled("Add", call)
        },
        PyTorchOperator("aten.sub.Tensor", "aten.sub.Scalar", "aten.subtract.Tensor") {
            (call) throws(GraphError) in
            try scaled("Sub", call)
        },
        PyTorchOperator("aten.rsub.Scalar", "aten.rsub.Tensor") { (call) throws(GraphError) in
            guard try call.real("alpha", default: 1) == 1 else {
                throw call.refusal("alpha is not supported")
            }
            return try binary("Sub", call, left: "other", right: "self")
        },
        PyTorchOperator("aten.mul.Tensor", "aten.mul.Scalar", "aten.multiply.Tensor") {
            (call) throws(GraphError) in try binary("Mul", call)
        },
        PyTorchOperator("aten.div.Tensor", "aten.div.Scalar", "aten.divide.Tensor", "aten.true_divide.Tensor")
        {
            (call) throws(GraphError) in try binary("Div", call)
        },
        PyTorchOperator("aten.div.Tensor_mode", "aten.div.Scalar_mode", map: rounded),
        PyTorchOperator("aten.pow.Tensor_Scalar", "aten.pow.Tensor_Tensor", "aten.pow.Scalar", map: power),
        PyTorchOperator("aten.maximum.default", "aten.max.other") { (call) throws(GraphError) in
            try binary("Max", call)
        },
        PyTorchOperator("aten.minimum.default", "aten.min.other") { (call) throws(GraphError) in
            try binary("Min", call)
        },
        PyTorchOperator("aten.square.default") { (call) throws(GraphError) in
            try call.result("Mul", [call.value(), call.value()])
        },
        PyTorchOperator("aten.rsqrt.default") { (call) throws(GraphError) in
            try call.result("Reciprocal", [call.emit("Sqrt", [real(call)])])
        },
        PyTorchOperator("aten.log1p.default") { (call) throws(GraphError) in
            try call.result("Log", [call.emit("Add", [real(call), one(call)])])
        },
        PyTorchOperator("aten.expm1.default") { (call) throws(GraphError) in
            try call.result("Sub", [call.emit("Exp", [real(call)]), one(call)])
        },
        PyTorchOperator("aten.addcmul.default") { (call) throws(GraphError) in try combined("Mul", call) },
        PyTorchOperator("aten.addcdiv.default") { (call) throws(GraphError) in try combined("Div", call) },
        PyTorchOperator("aten.trunc.default", "aten.fix.default") { (call) throws(GraphError) in
            try call.result("Mul", [call.emit("Sign", [call.value()]), wholePart(call)])
        },
        PyTorchOperator("aten.frac.default") { (call) throws(GraphError) in
            let whole = try call.emit("Mul", [call.emit("Sign", [call.value()]), wholePart(call)])
            return try call.result("Sub", [call.value(), whole])
        },
        PyTorchOperator("aten.log2.default") { (call) throws(GraphError) in
            try logarithm(0.693147180559945309, call)
        },
        PyTorchOperator("aten.log10.default") { (call) throws(GraphError) in
            try logarithm(2.30258509299404568, call)
        },
        PyTorchOperator("aten.exp2.default") { (call) throws(GraphError) in
            try call.result("Pow", [call.scalar(2, call.outputMeta().elementType), real(call)])
        },
        PyTorchOperator("aten.erfc.default") { (call) throws(GraphError) in
            try call.result("Sub", [one(call), call.emit("Erf", [real(call)])])
        },
        PyTorchOperator("aten.remainder.Tensor", "aten.remainder.Scalar", map: remainder),
        PyTorchOperator("aten.fmod.Tensor", "aten.fmod.Scalar") { (call) throws(GraphError) in
            let type = try call.outputMeta().elementType
            return try call.result(
                "Mod", [operand("self", as: type, call), operand("other", as: type, call)],
                ["fmod": .integer(1)])
        },
        PyTorchOperator("aten.floor_divide.default", "aten.floor_divide.Scalar") {
            (call) throws(GraphError) in
            try dividedDown(call)
        },
        PyTorchOperator("aten.lerp.Tensor", "aten.lerp.Scalar") { (call) throws(GraphError) in
            let type = try call.outputMeta().elementType
            let difference = try call.emit("Sub", [call.value("end"), call.value()])
            let step = try call.emit("Mul", [difference, operand("weight", as: type, call)])
            return try call.result("Add", [call.value(), step])
        },
        unary("aten.neg.default", "Neg"), unary("aten.abs.default", "Abs"),
        unary("aten.negative.default", "Neg"), unary("aten.absolute.default", "Abs"),
        unary("aten.sign.default", "Sign"),
        unary("aten.floor.default", "Floor"), unary("aten.ceil.default", "Ceil"),
        unary("aten.round.default", "Round"), unary("aten.exp.default", "Exp", isReal: true),
        unary("aten.log.default", "Log", isReal: true), unary("aten.sqrt.default", "Sqrt", isReal: true),
        unary("aten.erf.default", "Erf", isReal: true),
        unary("aten.reciprocal.default", "Reciprocal", isReal: true),
        unary("aten.sin.default", "Sin", isReal: true), unary("aten.cos.default", "Cos", isReal: true),
        unary("aten.tan.default", "Tan", isReal: true), unary("aten.atan.default", "Atan", isReal: true),
        unary("aten.sinh.default", "Sinh", isReal: true), unary("aten.cosh.default", "Cosh", isReal: true),
        unary("aten.asin.default", "Asin", isReal: true), unary("aten.acos.default", "Acos", isReal: true),
        unary("aten.asinh.default", "Asinh", isReal: true),
        unary("aten.acosh.default", "Acosh", isReal: true),
        unary("aten.atanh.default", "Atanh", isReal: true),
    ]

    private static func unary(_ name: String, _ type: String, isReal: Bool = false) -> PyTorchOperator {
        PyTorchOperator(name) { (call) throws(GraphError) in
            try call.result(type, [isReal ? real(call) : call.value()])
        }
    }

    /// The input, as reals where it is integers: what functions of reals do with them.
    private static func real(_ call: PyTorchCall) throws(GraphError) -> String {
        try operand("self", as: call.outputMeta().elementType, call)
    }

    /// self + value·(tensor1 ∘ tensor2).
    private static func combined(_ type: String, _ call: PyTorchCall) throws(GraphError) -> [String] {
        let (element, factor) = (try call.outputMeta().elementType, try call.real("value", default: 1))
        var term = try call.emit(type, [call.value("tensor1"), call.value("tensor2")])
        if factor != 1 { term = try call.emit("Mul", [term, call.scalar(factor, element)]) }
        return try call.result("Add", [call.value(), term])
    }

    private static func wholePart(_ call: PyTorchCall) throws(GraphError) -> String {
        try call.emit("Floor", [call.emit("Abs", [call.value()])])
    }

    /// To a base whose natural logarithm is `divisor`.
    private static func logarithm(_ divisor: Double, _ call: PyTorchCall) throws(GraphError) -> [String] {
        try call.result(
            "Div", [call.emit("Log", [real(call)]), call.scalar(divisor, call.outputMeta().elementType)])
    }

    /// With the divisor's sign.
    private static func remainder(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let type = try call.outputMeta().elementType
        let (value, divisor) = (try operand("self", as: type, call), try operand("other", as: type, call))
        guard type.isFloatingPoint else { return try call.result("Mod", [value, divisor]) }
        let quotient = try call.emit("Floor", [call.emit("Div", [value, divisor])])
        return try call.result("Sub", [value, call.emit("Mul", [quotient, divisor])])
    }

    /// Rounded down: integers are divided without the remainder that has the divisor's sign.
    private static func dividedDown(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let type = try call.outputMeta().elementType
        let (value, divisor) = (try operand("self", as: type, call), try operand("other", as: type, call))
        guard !type.isFloatingPoint else {
            return try call.result("Floor", [call.emit("Div", [value, divisor])])
        }
        let multiple = try call.emit("Sub", [value, call.emit("Mod", [value, divisor])])
        return try call.result("Div", [multiple, divisor])
    }

    private static func one(_ call: PyTorchCall) throws(GraphError) -> String {
        try call.scalar(1, call.outputMeta().elementType)
    }

    // MARK: - Two operands

    /// An argument, tensor or number, as a value of `type`.
    static func operand(_ name: String, as type: ElementType, _ call: PyTorchCall) throws(GraphError)
        -> String
    {
        switch call.node.arguments[name] {
        case .tensor:
            let value = try call.value(name)
            return try call.meta(name).elementType == type ? value : call.cast(value, to: type)
        case .integer(.value(let integer)):
            if let known = call.builder.program.integers[integer] {
                return try call.scalar(Double(known), type)
            }
            let value = try call.emit("Squeeze", [call.builder.value(integer), call.vector([0])])
            return type == .int64 ? value : try call.cast(value, to: type)
        default: return try call.scalar(call.real(name), type)
        }
    }

    static func binary(
        _ type: String, _ call: PyTorchCall, left: String = "self", right: String = "other"
    ) throws(GraphError) -> [String] {
        let element = try call.outputMeta().elementType
        // Of booleans a product is both, a sum either.
        let logic = ["Mul": "And", "Min": "And", "Add": "Or", "Max": "Or"]
        return try call.result(
            element == .bool ? logic[type] ?? type : type,
            [operand(left, as: element, call), operand(right, as: element, call)])
    }

    /// self ± alpha·other.
    private static func scaled(_ type: String, _ call: PyTorchCall) throws(GraphError) -> [String] {
        let alpha = try call.real("alpha", default: 1)
        guard alpha != 1 else { return try binary(type, call) }
        let element = try call.outputMeta().elementType
        let other = try call.emit(
            "Mul", [operand("other", as: element, call), call.scalar(alpha, element)])
        return try call.result(type, [operand("self", as: element, call), other])
    }

    private static func power(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let element = try call.outputMeta().elementType
        if case .tensor = call.node.arguments["exponent"] {
            return try binary("Pow", call, left: "self", right: "exponent")
        }
        let exponent = try call.real("exponent")
        let base = try operand("self", as: element, call)
        switch exponent {
        case 1: return [base]
        case 2: return try call.result("Mul", [base, base])
        case 0.5: return try call.result("Sqrt", [base])
        case -0.5: return try call.result("Reciprocal", [call.emit("Sqrt", [base])])
        default: return try call.result("Pow", [base, call.scalar(exponent, element)])
        }
    }

    /// Division, rounded towards zero or down.
    private static func rounded(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let element = try call.outputMeta().elementType
        let operands = [try operand("self", as: element, call), try operand("other", as: element, call)]
        let mode = try call.text("rounding_mode", default: "")
        switch (mode, element.isFloatingPoint) {
        case ("", true): return try call.result("Div", operands)
        case ("floor", _): return try dividedDown(call)
        // Integers are divided towards zero.
        case ("trunc", false): return try call.result("Div", operands)
        default: throw call.refusal("rounding mode '\(mode)' of \(element) is not supported")
        }
    }
}
