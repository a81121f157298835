import Graph
import Tensors

/// Layers that make one value of several. As in Keras, a value of lower rank gets axes of 1 behind the batch.
enum KerasMerges {
    /// `nil`: another family's layer.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "Add": [try merged("Add", call, &builder)]
        case "Multiply": [try merged("Mul", call, &builder)]
        case "Maximum": [try merged("Max", call, &builder)]
        case "Minimum": [try merged("Min", call, &builder)]
        case "Average": [try average(call, &builder)]
        case "Subtract": [try merged("Sub", call, &builder)]
        case "Concatenate": try concatenate(&builder, layer.integer("axis", default: -1), call.inputs)
        default: nil
        }
    }

    private static func merged(
        _ type: String, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let values = try aligned(call.inputs, &builder)
        guard values.count >= 2, type != "Sub" || values.count == 2 else {
            throw KerasRefusal("it is called with \(values.count) tensors")
        }
        var result = values[0]
        for value in values.dropFirst() {
            result = KerasValue(
                name: try builder.add(type, [result.name, value.name]), isMoved: value.isMoved)
        }
        return result
    }

    private static func average(
        _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let sum = try merged("Add", call, &builder)
        let count = try builder.scalar(Float(call.inputs.count), "count")
        return KerasValue(name: try builder.add("Div", [sum.name, count]), isMoved: sum.isMoved)
    }

    static func concatenate(
        _ builder: inout KerasGraphBuilder, _ axis: Int, _ inputs: [KerasValue]
    ) throws(KerasRefusal) -> [KerasValue] {
        let values = try aligned(inputs, &builder)
        guard let first = values.first else { throw KerasRefusal("it is called without tensors") }
        let axis = try builder.graphAxis(axis, of: first)
        let name = try builder.add("Concat", values.map(\.name), ["axis": .integer(Int64(axis))])
        return [KerasValue(name: name, isMoved: first.isMoved)]
    }

    /// All with as many axes as the one that has most, and with the channels in one place: moved where any is.
    private static func aligned(
        _ values: [KerasValue], _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue] {
        var ranks: [Int] = []
        for value in values { ranks.append(try builder.rank(value)) }
        let rank = ranks.max() ?? 0
        let isMoved = values.contains { $0.isMoved }
        var result: [KerasValue] = []
        for (value, own) in zip(values, ranks) {
            var value = value
            if own < rank {
                let axes = builder.integers(Array(1...rank - own), "axes")
                value = KerasValue(name: try builder.add("Unsqueeze", [try builder.own(value), axes]))
            }
            let name = isMoved && !value.isMoved ? try builder.channelsFirst(value) : value.name
            result.append(KerasValue(name: name, isMoved: isMoved))
        }
        return result
    }
}
