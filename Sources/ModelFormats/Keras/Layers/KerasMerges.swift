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
        case "Dot": [try dot(layer, call, &builder)]
        case "CustomScaleLayer": [try scaledSum(layer, call, &builder)]
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

    /// x + scale·y: a layer of InceptionResNetV2's.
    private static func scaledSum(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let values = try aligned(call.inputs, &builder)
        guard values.count == 2 else {
            throw KerasRefusal("it is called with \(values.count) tensors, expected two")
        }
        let scale = try builder.scalar(try layer.real("scale", default: 1), "scale")
        let scaled = try builder.add("Mul", [values[1].name, scale])
        return KerasValue(name: try builder.add("Add", [values[0].name, scaled]), isMoved: values[0].isMoved)
    }

    /// Sums of products along an axis of each, item by item. Of two vectors it is one number, on an axis of its own.
    private static func dot(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        let (inputs, stated) = (call.inputs, try layer.axes("axes", default: [-1]))
        guard inputs.count == 2, (1...2).contains(stated.count) else {
            throw KerasRefusal("it is called with \(inputs.count) tensors and \(stated.count) axes")
        }
        var letters = Substring("abcdefghijklmnopqrstuvwxyz")
        let (batch, summed) = (letters.removeFirst(), letters.removeFirst())
        var names: [String] = []
        var terms: [String] = []
        for (value, statedAxis) in zip(inputs, [stated[0], stated[stated.count - 1]]) {
            let rank = try builder.rank(value)
            let axis = try KerasGraphBuilder.axis(statedAxis, rank: rank)
            guard axis > 0, rank <= maximumDotRank else {
                throw KerasRefusal("axis \(statedAxis) of \(rank) dimensions is not supported")
            }
            var own = KerasValue(name: try builder.own(value))
            if layer.flag("normalize", default: false) {
                own = try KerasNormalizations.unit(
                    own, axes: [axis], least: layer.isKeras2 ? 1e-6 : 1e-7, &builder)
            }
            names.append(own.name)
            terms.append(
                String((0..<rank).map { $0 == 0 ? batch : $0 == axis ? summed : letters.removeFirst() }))
        }
        let rest = terms.map { term in term.filter { $0 != batch && $0 != summed } }.joined()
        let equation = "\(terms[0]),\(terms[1])->\(batch)\(rest)"
        let product = try builder.add("Einsum", names, ["equation": .string(equation)])
        guard rest.isEmpty else { return KerasValue(name: product) }
        return KerasValue(name: try builder.add("Unsqueeze", [product, builder.integers([1], "axes")]))
    }

    private static let maximumDotRank = 8

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
