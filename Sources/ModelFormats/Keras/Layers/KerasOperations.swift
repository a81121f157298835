import Graph
import Tensors

/// Arithmetic that a functional model does with its tensors: `x * 2 + y`, written as operations of `keras.ops`.
enum KerasOperations {
    /// `nil`: not known.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "Add": [try binary("Add", &builder, call)]
        case "Subtract": [try binary("Sub", &builder, call)]
        case "Multiply": [try binary("Mul", &builder, call)]
        case "Maximum": [try binary("Max", &builder, call)]
        case "Minimum": [try binary("Min", &builder, call)]
        case "Power": [try binary("Pow", &builder, call)]
        case "Divide", "TrueDivide": [try binary("Div", &builder, call)]
        case "Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Exp", "Log", "Sqrt", "Abs":
            [try function(layer.className, &builder, call)]
        case "Absolute": [try function("Abs", &builder, call)]
        case "Negative": [try function("Neg", &builder, call)]
        default: nil
        }
    }

    private static func function(
        _ type: String, _ builder: inout KerasGraphBuilder, _ call: KerasCall
    ) throws(KerasRefusal) -> KerasValue {
        guard call.arguments.count == 1 else { throw KerasRefusal("it has unknown arguments") }
        return try builder.elementwise(type, try call.input)
    }

    /// Two tensors, or one and a number; axes are aligned from the last one, as in NumPy.
    private static func binary(
        _ type: String, _ builder: inout KerasGraphBuilder, _ call: KerasCall
    ) throws(KerasRefusal) -> KerasValue {
        guard call.arguments.count == 2 else { throw KerasRefusal("it is called with one argument") }
        let values = call.inputs
        var isMoved = values.contains { $0.isMoved }
        if values.count == 2, try builder.rank(values[0]) != builder.rank(values[1]) { isMoved = false }
        var names: [String] = []
        for argument in call.arguments {
            switch argument {
            case .value(let value):
                names.append(isMoved ? try builder.channelsFirst(value) : try builder.own(value))
            case .constant(let json):
                guard let number = json.real else {
                    throw KerasRefusal("an argument is \(json.kind), expected a tensor or a number")
                }
                names.append(try builder.scalar(Float(number), "number"))
            case .values: throw KerasRefusal("an argument is a list, expected a tensor or a number")
            }
        }
        return KerasValue(name: try builder.add(type, names), isMoved: isMoved)
    }
}
