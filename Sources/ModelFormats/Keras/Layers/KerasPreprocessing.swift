import Graph
import Tensors

/// Scaling of inputs that is a part of the model, and changes of images at random, which training alone makes.
enum KerasPreprocessing {
    private static let augmentations: Set = [
        "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast",
        "RandomBrightness",
        "RandomShear", "RandomHue", "RandomSaturation", "RandomSharpness", "RandomColorJitter",
        "RandomColorDegeneration", "RandomGrayscale", "RandomInvert", "RandomErasing", "RandomPosterization",
        "RandomPerspective", "RandomGaussianBlur", "RandomElasticTransform",
    ]

    /// `nil`: another family's layer.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "Rescaling": try rescaling(&builder, layer, call)
        case "Normalization": try normalization(&builder, layer, call)
        case "Resizing": try resizing(&builder, layer, call)
        case "CenterCrop": try centerCrop(&builder, layer, call)
        case "LayerScale": try layerScale(&builder, layer, call)
        case _ where augmentations.contains(layer.className): [try float(try call.input, &builder)]
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

    /// To stated extents, without regard to the aspect.
    private static func resizing(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        for setting in ["crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"] {
            try layer.require(setting)
        }
        let value = try float(try call.input, &builder)
        guard try builder.rank(value) == 4 else { throw KerasRefusal("its input is no batch of images") }
        let extents = [try layer.integer("height"), try layer.integer("width")]
        guard extents.allSatisfy({ $0 > 0 }) else { throw KerasRefusal("its extents are \(extents)") }
        var attributes: [String: Attribute] = [:]
        attributes["coordinate_transformation_mode"] = .string("half_pixel")
        switch layer.text("interpolation", default: "bilinear") {
        case "bilinear": attributes["mode"] = .string("linear")
        case "nearest":
            attributes["mode"] = .string("nearest")
            attributes["nearest_mode"] = .string("round_prefer_ceil")
        default: throw KerasRefusal("its interpolation is not supported")
        }
        let isFirst = layer.hasChannelsFirst
        let source = isFirst ? try builder.own(value) : try builder.channelsFirst(value)
        // Scales of all axes where they follow: ONNX Runtime takes those of some axes for those of others.
        let first = isFirst ? 2 : 1
        let own = try builder.dimensions(value)[first...first + 1].compactMap(\.value)
        var inputs: [String?] = [source, nil]
        if own.count == 2, !own.contains(0) {
            let scales = zip(own, extents).map { scale(from: $0, to: $1) }
            inputs.append(builder.constant(try KerasGraphBuilder.tensor([1, 1] + scales, [4]), "scales"))
        } else {
            inputs += [nil, builder.integers(extents, "sizes")]
            attributes["axes"] = .integers([2, 3])
        }
        return [KerasValue(name: try builder.add("Resize", inputs, attributes), isMoved: !isFirst)]
    }

    /// The factor that makes `to` elements of `from`, not less by rounding.
    private static func scale(from: Int, to: Int) -> Float {
        let scale = Float(to) / Float(from)
        return (Double(from) * Double(scale)).rounded(.down) < Double(to) ? scale.nextUp : scale
    }

    /// The middle of images that are at least as large.
    private static func centerCrop(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = KerasValue(name: try builder.own(try float(try call.input, &builder)))
        guard try builder.rank(value) == 4 else { throw KerasRefusal("its input is no batch of images") }
        var (axes, starts, ends): ([Int], [Int], [Int]) = ([], [], [])
        for (axis, key) in zip(layer.hasChannelsFirst ? [2, 3] : [1, 2], ["height", "width"]) {
            let (whole, part) = (try builder.extent(value, axis), try layer.integer(key))
            guard part >= 1, part <= whole else {
                throw KerasRefusal("a \(key) of \(part) for images of \(whole) is not supported")
            }
            axes.append(axis)
            starts.append((whole - part) / 2)
            ends.append((whole - part) / 2 + part)
        }
        let name = try builder.add(
            "Slice",
            [
                value.name, builder.integers(starts, "starts"), builder.integers(ends, "ends"),
                builder.integers(axes, "axes"),
            ])
        return [KerasValue(name: name)]
    }

    /// x·gamma, a number for each channel: a layer of ConvNeXt's.
    private static func layerScale(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try call.input
        let gamma = try layer.weights.tensor(0, "gamma", rank: 1)
        let shape = try channelShape(gamma.shape.count, value, builder)
        let factor = builder.constant(try gamma.withShape(shape), "gamma")
        return [KerasValue(name: try builder.add("Mul", [value.name, factor]), isMoved: value.isMoved)]
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
