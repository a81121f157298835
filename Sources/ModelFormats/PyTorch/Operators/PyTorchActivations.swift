import Graph
import Tensors

/// Activations.
enum PyTorchActivations {
    static let operators = [
        plain("aten.relu.default", "Relu"), plain("aten.sigmoid.default", "Sigmoid"),
        plain("aten.tanh.default", "Tanh"), plain("aten.hardswish.default", "HardSwish"),
        plain("aten.mish.default", "Mish"), plain("aten.softsign.default", "Softsign"),
        PyTorchOperator("aten.selu.default") { (call) throws(GraphError) in
            try call.result("Selu", [call.value()])
        },
        PyTorchOperator("aten.relu6.default") { (call) throws(GraphError) in
            try clip(call, 0, 6)
        },
        PyTorchOperator("aten.hardtanh.default") { (call) throws(GraphError) in
            try clip(call, call.real("min_val", default: -1), call.real("max_val", default: 1))
        },
        PyTorchOperator("aten.clamp.default", "aten.clip.default") { (call) throws(GraphError) in
            try clip(
                call, call.has("min") ? call.real("min") : nil, call.has("max") ? call.real("max") : nil)
        },
        PyTorchOperator("aten.clamp.Tensor", "aten.clip.Tensor") { (call) throws(GraphError) in
            let type = try call.outputMeta().elementType
            var value = try PyTorchArithmetic.operand("self", as: type, call)
            for (name, bound) in [("min", "Max"), ("max", "Min")] where call.has(name) {
                value = try call.emit(bound, [value, PyTorchArithmetic.operand(name, as: type, call)])
            }
            return [value]
        },
        PyTorchOperator("aten.clamp_min.Tensor") { (call) throws(GraphError) in
            try PyTorchArithmetic.binary("Max", call, right: "min")
        },
        PyTorchOperator("aten.clamp_max.Tensor") { (call) throws(GraphError) in
            try PyTorchArithmetic.binary("Min", call, right: "max")
        },
        PyTorchOperator("aten.clamp_min.default") { (call) throws(GraphError) in
            try clip(call, call.real("min"), nil)
        },
        PyTorchOperator("aten.clamp_max.default") { (call) throws(GraphError) in
            try clip(call, nil, call.real("max"))
        },
        PyTorchOperator("aten.leaky_relu.default") { (call) throws(GraphError) in
            try call.result("LeakyRelu", [call.value()], alpha(call.real("negative_slope", default: 0.01)))
        },
        PyTorchOperator("aten.rrelu.default", "aten.rrelu_with_noise_functional.default") {
            (call) throws(GraphError) in
            guard try !call.flag("training") else {
                throw call.refusal(PyTorchNormalization.trainingReason)
            }
            let slope = try (call.real("lower", default: 0.125) + call.real("upper", default: 1.0 / 3)) / 2
            return try call.result("LeakyRelu", [call.value()], alpha(slope))
        },
        PyTorchOperator("aten.elu.default", map: exponentialLinear),
        PyTorchOperator("aten.celu.default") { (call) throws(GraphError) in
            try call.result("Celu", [call.value()], alpha(call.real("alpha", default: 1)))
        },
        PyTorchOperator("aten.gelu.default") { (call) throws(GraphError) in
            try call.result(
                "Gelu", [call.value()], ["approximate": .string(call.text("approximate", default: "none"))])
        },
        PyTorchOperator("aten.silu.default") { (call) throws(GraphError) in
            let x = try call.value()
            return try call.result("Mul", [x, call.emit("Sigmoid", [x])])
        },
        PyTorchOperator("aten.hardsigmoid.default") { (call) throws(GraphError) in
            try call.result("HardSigmoid", [call.value()], ["alpha": .real(1.0 / 6), "beta": .real(0.5)])
        },
        PyTorchOperator("aten.softplus.default", map: softplus),
        PyTorchOperator("aten.log_sigmoid.default") { (call) throws(GraphError) in
            try call.result("Neg", [call.emit("Softplus", [call.emit("Neg", [call.value()])])])
        },
        PyTorchOperator("aten.hardshrink.default") { (call) throws(GraphError) in
            try call.result(
                "Shrink", [call.value()], ["lambd": .real(Float(call.real("lambd", default: 0.5)))])
        },
        PyTorchOperator("aten.softshrink.default") { (call) throws(GraphError) in
            let limit = try Float(call.real("lambd", default: 0.5))
            return try call.result("Shrink", [call.value()], ["lambd": .real(limit), "bias": .real(limit)])
        },
        PyTorchOperator("aten.threshold.default", map: threshold),
        PyTorchOperator("aten.logit.default") { (call) throws(GraphError) in
            let type = try call.outputMeta().elementType
            var value = try call.value()
            if call.has("eps") {
                let limit = try call.real("eps")
                value = try call.emit(
                    "Clip", [value, call.scalar(limit, type), call.scalar(1 - limit, type)])
            }
            let rest = try call.emit("Sub", [call.scalar(1, type), value])
            return try call.result("Log", [call.emit("Div", [value, rest])])
        },
        PyTorchOperator("aten.prelu.default", "aten._prelu_kernel.default", map: prelu),
        PyTorchOperator("aten.glu.default", map: gatedLinear),
        PyTorchOperator("aten.softmax.int", "aten._softmax.default", "aten._safe_softmax.default") {
            (call) throws(GraphError) in try softmax("Softmax", call)
        },
        PyTorchOperator("aten.log_softmax.int", "aten._log_softmax.default") { (call) throws(GraphError) in
            try softmax("LogSoftmax", call)
        },
    ]

    private static func plain(_ name: String, _ type: String) -> PyTorchOperator {
        PyTorchOperator(name) { (call) throws(GraphError) in try call.result(type, [call.value()]) }
    }

    private static func alpha(_ value: Double) -> [String: Attribute] { ["alpha": .real(Float(value))] }

    static func clip(
        _ call: PyTorchCall, _ minimum: Double?, _ maximum: Double?
    ) throws(GraphError) -> [String] {
        let type = try call.outputMeta().elementType
        guard try call.meta().elementType == type else { throw call.refusal("changes the element type") }
        var inputs: [String?] = [try call.value()]
        inputs.append(try bound(minimum, type, call))
        if let maximum { inputs.append(try bound(maximum, type, call)) }
        return try call.result("Clip", inputs)
    }

    private static func bound(
        _ value: Double?, _ type: ElementType, _ call: PyTorchCall
    ) throws(GraphError) -> String? {
        guard let value else { return nil }
        return try call.scalar(value, type)
    }

    /// scale·x above 0, else scale·alpha·(exp(input_scale·x) − 1): what SELU and CELU are in the core operators.
    private static func exponentialLinear(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let (slope, scale) = (try call.real("alpha", default: 1), try call.real("scale", default: 1))
        let inputScale = try call.real("input_scale", default: 1)
        guard inputScale == 1 || abs(slope * inputScale - 1) < 1e-12 else {
            throw call.refusal("an input_scale of \(inputScale) is not supported")
        }
        let type = inputScale == 1 ? "Elu" : "Celu"
        guard scale != 1 else { return try call.result(type, [call.value()], alpha(slope)) }
        let value = try call.emit(type, [call.value()], alpha(slope))
        return try call.result("Mul", [value, call.scalar(scale, call.outputMeta().elementType)])
    }

    /// ln(1 + exp(βx))/β; above its threshold PyTorch takes x, which differs by less than its rounding.
    private static func softplus(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let beta = try call.real("beta", default: 1)
        guard try call.real("threshold", default: 20) >= 15 else {
            throw call.refusal("a threshold below 15 is not supported")
        }
        guard beta != 1 else { return try call.result("Softplus", [call.value()]) }
        let factor = try call.scalar(beta, call.outputMeta().elementType)
        let grown = try call.emit("Softplus", [call.emit("Mul", [call.value(), factor])])
        return try call.result("Div", [grown, factor])
    }

    /// x above the threshold, else the value.
    private static func threshold(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let type = try call.outputMeta().elementType
        let isAbove = try call.emit("Greater", [call.value(), call.scalar(call.real("threshold"), type)])
        return try call.result("Where", [isAbove, call.value(), call.scalar(call.real("value"), type)])
    }

    /// A slope for each channel, which is axis 1.
    private static func prelu(_ call: PyTorchCall) throws(GraphError) -> [String] {
        var slope = try call.value("weight")
        let (weight, rank) = (try call.meta("weight"), try call.meta().rank)
        if weight.rank == 1, rank > 2, weight.dimensions[0] != .known(1) {
            slope = try call.emit(
                "Reshape", [slope, call.vector([-1] + [Int](repeating: 1, count: rank - 2))])
        }
        return try call.result("PRelu", [call.value(), slope])
    }

    /// The first half times the sigmoid of the second.
    private static func gatedLinear(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let axis = try call.axis(default: -1)
        let halves = [
            call.builder.freshValue(call.node.name + "/a"), call.builder.freshValue(call.node.name + "/b"),
        ]
        try call.builder.append(
            "Split", [call.value()], ["axis": .integer(Int64(axis)), "num_outputs": .integer(2)],
            outputs: halves, name: call.node.displayName + "/Split")
        return try call.result("Mul", [halves[0], call.emit("Sigmoid", [halves[1]])])
    }

    private static func softmax(_ type: String, _ call: PyTorchCall) throws(GraphError) -> [String] {
        let output = try call.outputMeta().elementType
        var value = try call.value()
        if try call.meta().elementType != output { value = try call.cast(value, to: output) }
        return try call.result(type, [value], ["axis": .integer(Int64(try call.axis()))])
    }
}
