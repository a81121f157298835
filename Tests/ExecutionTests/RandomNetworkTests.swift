import Execution
import Graph
import Kernels
import Tensors
import Testing

/// A random network of the operators that CNNs are made of: whatever layouts meet, the answer is the reference's, and an
/// item's bits are its own.
@Suite struct RandomNetworkTests {
    private static let networkCount = 150

    @Test(arguments: InstructionSet.supported)
    func `equals the reference and has the same bits in every batch`(_ set: InstructionSet) throws {
        for seed in 0..<UInt64(Self.networkCount) {
            var maker = RandomNetwork(seed)
            let (graph, item) = try maker.make()
            let executable = try Executable(graph, options: ExecutionOptions(instructionSet: set))
            var noise = Noise(seed + 1000)
            let count = item.reduce(1, *)
            let items = (0..<4).map { _ in (0..<count).map { _ in noise.next() } }
            func run(_ session: Session, _ range: Range<Int>) throws -> Tensor {
                let input = try Tensor(items[range].flatMap { $0 }, shape: Shape([range.count] + item))
                return try #require(try session.run(["x": input])["y"])
            }
            let alone = Session(executable, threadCount: 1)
            let whole = try run(alone, 0..<4)
            let input = try Tensor(items.flatMap { $0 }, shape: Shape([4] + item))
            let expected = try exactly(graph, ["x": input])
            let error = try worstError(["y": whole], expected)
            #expect(error < 1e-4, "seed \(seed): \(graph.nodes.map(\.type))")
            let bits = try whole.elements(as: Float.self).map(\.bitPattern)
            let size = bits.count / 4
            let together = Session(executable, threadCount: 3)
            for (session, range) in [(alone, 0..<1), (together, 0..<4), (together, 2..<3), (alone, 1..<4)] {
                let found = try run(session, range).elements(as: Float.self).map(\.bitPattern)
                let same = found == Array(bits[range.lowerBound * size..<range.upperBound * size])
                #expect(same, "seed \(seed), items \(range): \(graph.nodes.map(\.type))")
            }
        }
    }
}

/// Makes networks from seeds.
private struct RandomNetwork {
    private var noise: Noise
    private var sketch = GraphSketch()
    private var nodeCount = 0
    private var hasProduct = false
    /// What a layer may read: values [N, channels, height, width].
    private var values: [(name: String, dimensions: [Int])] = []

    init(_ seed: UInt64) { noise = Noise(seed) }

    mutating func make() throws -> (graph: Graph, item: [Int]) {
        let item = [pick([1, 3, 8, 16, 17, 24, 40]), pick(3...19), pick(3...19)]
        sketch.input("x", [.symbol("N")] + item.map(Dimension.known))
        values = [("x", item)]
        for _ in 0..<pick(2...9) { try addLayer() }
        let last = values[values.count - 1]
        if pick(0...1) == 0 {
            try sketch.add("GlobalAveragePool", [last.name], ["g"])
            try sketch.add("Flatten", ["g"], ["y"])
        } else {
            try sketch.add("Identity", [last.name], ["y"])
        }
        return (try sketch.graph(["y"]), item)
    }

    private mutating func pick(_ range: ClosedRange<Int>) -> Int {
        let unit = Double(noise.next() / 3.4) + 0.5
        return min(range.upperBound, range.lowerBound + Int(unit * Double(range.count)))
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[pick(0...elements.count - 1)]
    }

    private mutating func next() -> String {
        nodeCount += 1
        return "v\(nodeCount)"
    }

    private mutating func addLayer() throws {
        // Mostly the value before, at times an older one.
        let source = pick(0...4) == 0 ? pick(values) : values[values.count - 1]
        let output = next()
        let (channels, height, width) = (source.dimensions[0], source.dimensions[1], source.dimensions[2])
        switch pick(0...11) {
        case 0...2: try addConvolution(source, output)
        case 3:
            // A depthwise convolution, or one in small groups.
            let kernel = pick([1, 3, 5])
            let stride = pick(1...2)
            let size = pick([1, 2, 4, 8].filter(channels.isMultiple(of:)))
            let weight = constant([channels, size, kernel, kernel], scale: 1 / Float(kernel * size))
            try sketch.add(
                "Conv", [source.name, weight, constant([channels])], [output],
                [
                    "group": .integer(Int64(channels / size)),
                    "strides": .integers([Int64(stride), Int64(stride)]),
                    "pads": .integers([Int64](repeating: Int64(kernel / 2), count: 4)),
                ])
            values.append((output, [channels, (height - 1) / stride + 1, (width - 1) / stride + 1]))
        case 4, 5:
            let function = pick(["Relu", "Sigmoid", "HardSwish", "Tanh", "LeakyRelu", "Elu"])
            try sketch.add(function, [source.name], [output])
            values.append((output, source.dimensions))
        case 6:
            let type = pick(["MaxPool", "AveragePool"])
            let kernel = pick(2...3)
            guard min(height, width) >= kernel else { return try addConvolution(source, output) }
            try sketch.add(
                type, [source.name], [output],
                [
                    "kernel_shape": .integers([Int64(kernel), Int64(kernel)]), "strides": .integers([2, 1]),
                    "pads": .integers([1, 0, 1, 1]),
                ])
            values.append((output, [channels, (height + 2 - kernel) / 2 + 1, width + 1 - kernel + 1]))
        case 7:
            // A sum or a product with an older value of the same shape.
            let others = values.filter { $0.dimensions == source.dimensions }
            // One product at most: squares of squares leave the range of Float32.
            let type = hasProduct ? pick(["Add", "Sub"]) : pick(["Add", "Mul", "Sub"])
            hasProduct = hasProduct || type == "Mul"
            try sketch.add(type, [source.name, pick(others).name], [output])
            values.append((output, source.dimensions))
        case 8:
            let others = values.filter { Array($0.dimensions[1...]) == Array(source.dimensions[1...]) }
            let other = pick(others)
            try sketch.add("Concat", [source.name, other.name], [output], ["axis": .integer(1)])
            values.append((output, [channels + other.dimensions[0], height, width]))
        case 9:
            // Squeeze and excite.
            let (mean, gate) = (next(), next())
            try sketch.add("GlobalAveragePool", [source.name], [mean])
            try sketch.add("Sigmoid", [mean], [gate])
            try sketch.add("Mul", [source.name, gate], [output])
            values.append((output, source.dimensions))
        case 10:
            // A great epsilon: pixels that are almost alike would make much of little.
            sketch.opset = 21
            let groups = pick([1, 2, 4, channels].filter(channels.isMultiple))
            try sketch.add(
                "GroupNormalization", [source.name, constant([channels]), constant([channels])], [output],
                ["num_groups": .integer(Int64(groups)), "epsilon": .real(0.1)])
            values.append((output, source.dimensions))
        default:
            try sketch.add(
                "BatchNormalization",
                [
                    source.name, constant([channels]), constant([channels]), constant([channels]),
                    ones(channels),
                ],
                [output])
            values.append((output, source.dimensions))
        }
    }

    private mutating func addConvolution(
        _ source: (name: String, dimensions: [Int]), _ output: String
    ) throws {
        let (channels, height, width) = (source.dimensions[0], source.dimensions[1], source.dimensions[2])
        let groupWidth = pick([4, 8, 16])
        let group =
            channels % groupWidth == 0 && channels > groupWidth && pick(0...2) == 0
            ? channels / groupWidth : 1
        let outputs = group * pick(group > 1 ? [4, 8, 16] : [1, 5, 8, 16, 23, 32, 40, 64])
        let kernel = pick([1, 1, 3, 3, 5])
        let stride = pick([1, 1, 1, 2])
        let dilation = kernel > 1 ? pick([1, 1, 1, 2]) : 1
        let pad = (kernel - 1) * dilation / 2
        let depth = Float(channels / group * kernel * kernel)
        let weight = constant([outputs, channels / group, kernel, kernel], scale: 1 / depth.squareRoot())
        try sketch.add(
            "Conv", pick(0...3) == 0 ? [source.name, weight] : [source.name, weight, constant([outputs])],
            [output],
            [
                "group": .integer(Int64(group)), "strides": .integers([Int64(stride), Int64(stride)]),
                "dilations": .integers([Int64(dilation), Int64(dilation)]),
                "pads": .integers([Int64](repeating: Int64(pad), count: 4)),
            ])
        values.append((output, [outputs, (height - 1) / stride + 1, (width - 1) / stride + 1]))
    }

    private mutating func constant(_ dimensions: [Int], scale: Float = 1) -> String {
        let name = next()
        sketch.constants[name] = noise.tensor(dimensions, scale: scale)
        return name
    }

    private mutating func ones(_ count: Int) -> String {
        let name = next()
        sketch.constants[name] = try! Tensor([Float](repeating: 1, count: count), shape: Shape([count]))
        return name
    }
}
