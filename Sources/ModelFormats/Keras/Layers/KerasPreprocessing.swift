import Graph
import Tensors

/// Scaling of inputs that is a part of the model.
enum KerasPreprocessing {
    /// `nil`: another family's layer.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "Rescaling": try rescaling(&builder, layer, call)
        case "Normalization": try normalization(&builder, layer, call)
        default: nil
        }
    }

    /// x·scale + offset, each a number or one for each channel.
    private static func rescaling(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        var value = try float(try call.input, &builder)
        for (key, type, neutral) in [("scale", "Mul", Float(1)), ("offset", "Add", Float(0))] {
            let numbers = try numbers(layer.config[key] ?? .real(Double(neutral)), key)
            if numbers == [neutral] { continue }
            let dimensions = numbers.count == 1 ? [] : try channelShape(numbers.count, value, builder)
            let factor = builder.constant(try KerasGraphBuilder.tensor(numbers, dimensions), key)
            value = KerasValue(name: try builder.add(type, [value.name, factor]), isMoved: value.isMoved)
        }
        return [value]
    }

    /// (x − mean)/max(√variance, 1e-7), whose statistics were adapted to data or stated.
    private static func normalization(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        try layer.require("invert")
        let value = try float(try call.input, &builder)
        let (mean, variance): ([Float], [Float])
        if let stated = layer.config["mean"] {
            mean = try numbers(stated, "mean")
            variance = try numbers(layer.config["variance"] ?? .null, "variance")
        } else {
            mean = try layer.weights.tensor(0, "mean").floats
            variance = try layer.weights.tensor(1, "variance").floats
        }
        guard mean.count == variance.count else {
            throw KerasRefusal("its mean and variance differ in shape")
        }
        var dimensions: [Int] = []
        if mean.count > 1 {
            let rank = try builder.rank(value)
            var axes: [Int] = []
            for axis in try layer.axes("axis", default: [-1]) {
                axes.append(try KerasGraphBuilder.axis(axis, rank: rank))
            }
            guard axes == [rank - 1] else {
                throw KerasRefusal("statistics of other than the last axis are not supported")
            }
            dimensions = try channelShape(mean.count, value, builder)
        }
        let epsilon: Float = 1e-7
        let deviation = variance.map { max($0.squareRoot(), epsilon) }
        let centre = builder.constant(try KerasGraphBuilder.tensor(mean, dimensions), "mean")
        let spread = builder.constant(try KerasGraphBuilder.tensor(deviation, dimensions), "deviation")
        let centred = try builder.add("Sub", [value.name, centre])
        return [KerasValue(name: try builder.add("Div", [centred, spread]), isMoved: value.isMoved)]
    }

    /// A shape that is broadcast along all but the channels, which must be as many.
    private static func channelShape(
        _ count: Int, _ value: KerasValue, _ builder: KerasGraphBuilder
    ) throws(KerasRefusal) -> [Int] {
        let channels = try builder.extent(value, -1)
        guard channels == count else {
            throw KerasRefusal("it has \(count) numbers for \(channels) channels")
        }
        return [count] + (value.isMoved ? [Int](repeating: 1, count: try builder.rank(value) - 2) : [])
    }

    private static func float(
        _ value: KerasValue, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        guard let type = builder.elementType(value), type != .float32 else { return value }
        return try builder.elementwise("Cast", value, ["to": .integer(KerasNumbers.float32)])
    }

    /// The numbers of nested lists, in order: what NumPy writes of an array.
    private static func numbers(_ json: JSON, _ key: String) throws(KerasRefusal) -> [Float] {
        var rest = [json]
        var numbers: [Float] = []
        while let next = rest.popLast() {
            if let number = next.real {
                numbers.append(Float(number))
            } else if let list = next.array {
                rest += list.reversed()
            } else if let value = next["config"]?["value"] {
                rest.append(value)
            } else {
                throw KerasRefusal("its \(key) is \(next.kind), expected numbers")
            }
        }
        guard !numbers.isEmpty else { throw KerasRefusal("its \(key) has no numbers") }
        return numbers
    }
}
