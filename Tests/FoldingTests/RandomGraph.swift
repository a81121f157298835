import Graph
import Tensors

import Folding

/// A small random graph around one or more batch normalizations or chains of arithmetic that do the same, with how many
/// of them must fold.
struct RandomGraph {
    var builder: GraphBuilder
    var foldable = 0
    /// Chains next to each other, or with nothing but batch normalizations between them, are one.
    var foldableChains = 0
    private var isSquare: Bool
    private var expectsFold = true

    /// Everything follows from `seed`. Square graphs have equal extents wherever an axis could be taken for another.
    init(seed: UInt64) throws {
        var builder = GraphBuilder(seed: seed, elementType: seed.isMultiple(of: 2) ? .float64 : .float32)
        isSquare = Bool.random(using: &builder.random)
        self.builder = builder
        switch Int.random(in: 0..<10, using: &self.builder.random) {
        case 0...3: try convolution()
        case 4...5: try transposed()
        case 6...7: try gemm()
        default: try product()
        }
    }

    private mutating func pick(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &builder.random)
    }
    private mutating func chance(_ percent: Int) -> Bool { pick(1...100) <= percent }

    private mutating func integers(_ count: Int, _ range: ClosedRange<Int>) -> Attribute {
        .integers((0..<count).map { _ in Int64(pick(range)) })
    }

    private mutating func convolution() throws {
        let spatial = pick(1...3)
        let group = isSquare && chance(50) ? 1 : pick(1...3)
        let inputsInGroup = chance(30) ? 1 : pick(1...3)
        let outputsInGroup = isSquare ? inputsInGroup : pick(1...3)
        let kernel = (0..<spatial).map { _ in pick(1...3) }
        var attributes: [String: Attribute] = [
            "group": .integer(Int64(group)), "strides": integers(spatial, 1...2),
        ]
        switch pick(0...3) {
        case 0: attributes["pads"] = integers(2 * spatial, 0...2)
        case 1: attributes["auto_pad"] = .string(["SAME_UPPER", "SAME_LOWER", "VALID"][pick(0...2)])
        default: break
        }
        if chance(40), attributes["auto_pad"] == nil { attributes["dilations"] = integers(spatial, 1...2) }
        builder.input("x", [pick(1...2), group * inputsInGroup] + (0..<spatial).map { _ in pick(5...6) })
        try builder.weight("w", [group * outputsInGroup, inputsInGroup] + kernel)
        try finish("Conv", attributes, rank: spatial + 2, channels: group * outputsInGroup)
    }

    private mutating func transposed() throws {
        let spatial = pick(1...3)
        let group = pick(1...3)
        let inputsInGroup = pick(1...3)
        let outputsInGroup = isSquare ? inputsInGroup : pick(1...3)
        var attributes: [String: Attribute] = [
            "group": .integer(Int64(group)), "strides": integers(spatial, 1...2),
            "dilations": integers(spatial, 1...2),
        ]
        if chance(40) { attributes["pads"] = integers(2 * spatial, 0...1) }
        builder.input("x", [pick(1...2), group * inputsInGroup] + (0..<spatial).map { _ in pick(3...4) })
        let kernel = (0..<spatial).map { _ in pick(2...3) }
        try builder.weight("w", [group * inputsInGroup, outputsInGroup] + kernel)
        try finish("ConvTranspose", attributes, rank: spatial + 2, channels: group * outputsInGroup)
    }

    /// With or without bias, and then one of the neighbourhoods of `surround`.
    private mutating func finish(_ type: String, _ attributes: [String: Attribute], rank: Int, channels: Int)
        throws
    {
        let hasBias = chance(50)
        if hasBias { try builder.weight("c", [channels]) }
        try builder.node(type, hasBias ? ["x", "w", "c"] : ["x", "w"], "h", name: "producer", attributes)
        try surround("h", rank: rank, channels: channels)
        if chance(20) {
            try builder.node(type, ["x", "w"], "other", name: "sharer", attributes)
            builder.output("other")
        }
    }

    private mutating func gemm() throws {
        let (rows, depth, columns) = isSquare ? (3, 3, 3) : (pick(1...4), pick(1...4), pick(1...4))
        let (transA, transB) = (chance(50), chance(50))
        builder.input("x", transA ? [depth, rows] : [rows, depth])
        try builder.weight("w", transB ? [columns, depth] : [depth, columns])
        let shapes: [[Int]] = [[], [1], [columns], [1, columns], [rows, 1], [rows, columns]]
        let hasBias = chance(85)
        if hasBias { try builder.weight("c", shapes[pick(0...5)]) }
        try builder.node(
            "Gemm", hasBias ? ["x", "w", "c"] : ["x", "w"], "h", name: "producer",
            [
                "transA": .integer(transA ? 1 : 0), "transB": .integer(transB ? 1 : 0),
                "alpha": .real([1, 0.5, -2][pick(0...2)]), "beta": .real([1, 0, -0.5][pick(0...2)]),
            ])
        try surround("h", rank: 2, channels: columns)
    }

    private mutating func product() throws {
        let (rows, depth, columns) = isSquare ? (3, 3, 3) : (pick(1...4), pick(1...4), pick(1...4))
        let batch = isSquare ? 3 : pick(1...3)
        // x·W of rank 2, W·x of rank 3, and x·W of rank 3, whose axis 1 is not the product's output.
        let kind = pick(0...2)
        builder.input(
            "x", kind == 0 ? [rows, depth] : kind == 1 ? [batch, depth, columns] : [batch, rows, depth])
        try builder.weight("w", kind == 1 ? [rows, depth] : [depth, columns])
        try builder.node("MatMul", kind == 1 ? ["w", "x"] : ["x", "w"], "p", name: "producer")
        var last = "p"
        if chance(60) {
            let shapes = [[], [1], [columns], [1, columns], [rows, 1], [rows, columns]]
            try builder.weight("c", shapes[pick(0...5)])
            last = try builder.node("Add", chance(50) ? ["p", "c"] : ["c", "p"], "h", name: "sum")
        }
        if kind == 2, chance(50) {
            try chain(last, "y", Channels(axis: 2, rank: 3, count: columns))
            foldableChains += 1
            try builder.node("Sigmoid", ["y"], "z")
            builder.output("z")
            return
        }
        // One channel is the same for all elements, on whichever axis.
        expectsFold = kind != 2 || rows == 1
        try surround(last, rank: kind == 0 ? 2 : 3, channels: kind == 0 ? columns : rows)
    }

    private struct Channels {
        let axis: Int
        let rank: Int
        let count: Int
    }

    /// One to four operators with constants, on either side and in every shape that differs along the channels alone.
    private mutating func chain(_ value: String, _ output: String, _ channels: Channels) throws {
        let length = pick(1...4)
        let scaled = pick(1...length)
        var value = value
        for position in 1...length {
            let type =
                position == scaled ? ["Mul", "Div"][pick(0...1)] : ["Mul", "Div", "Add", "Sub"][pick(0...3)]
            // Without any difference there is no wrong axis.
            let isUniform = expectsFold && chance(25)
            let trailing = channels.rank - channels.axis - 1
            var shape = [isUniform ? 1 : channels.count] + [Int](repeating: 1, count: trailing)
            if isUniform, chance(50) { shape = [] }
            if chance(50) { shape = [Int](repeating: 1, count: channels.rank - shape.count) + shape }
            let name = "\(output).k\(position)"
            let values = builder.reals(shape.reduce(1, *), in: 0.5...2).map { chance(30) ? -$0 : $0 }
            try builder.constant(name, values, shape)
            let next = position == length ? output : "\(output).v\(position)"
            let isFirst = type != "Div" && chance(50)
            try builder.node(type, isFirst ? [name, value] : [value, name], next)
            value = next
        }
    }

    /// A batch normalization, a chain, or both in either order; returns which.
    private mutating func normalize(
        _ value: String, _ output: String, _ channels: Channels
    ) throws -> (normalizations: Int, chains: Int) {
        let between = "\(output).between"
        switch pick(0...7) {
        case 0...1:
            try chain(value, output, channels)
            return (0, 1)
        case 2:
            try chain(value, between, channels)
            try builder.batchNorm(between, output, channels: channels.count)
            return (1, 1)
        case 3:
            try builder.batchNorm(value, between, channels: channels.count)
            try chain(between, output, channels)
            return (1, 1)
        default:
            try builder.batchNorm(value, output, channels: channels.count)
            return (1, 0)
        }
    }

    private mutating func expect(_ found: (normalizations: Int, chains: Int)) {
        guard expectsFold else { return }
        foldable += found.normalizations
        foldableChains += min(found.chains, 1)
    }

    /// What reads the value before the normalization, and what follows it.
    private mutating func surround(_ value: String, rank: Int, channels: Int) throws {
        let channels = Channels(axis: 1, rank: rank, count: channels)
        switch pick(0...9) {
        case 0:
            builder.output(value)
            _ = try normalize(value, "y", channels)
        case 1:
            try builder.node("Relu", [value], "tap")
            builder.output("tap")
            _ = try normalize(value, "y", channels)
        case 2:
            _ = try normalize(value, "y", channels)
            _ = try normalize(value, "y2", channels)
            builder.output("y2")
        case 3:
            let first = try normalize(value, "m", channels)
            let second = try normalize("m", "y", channels)
            expect((first.normalizations + second.normalizations, first.chains + second.chains))
        case 4:
            try builder.node("Tanh", [value], "r")
            _ = try normalize("r", "y", channels)
        case 5:
            try builder.node("Identity", [value], "i")
            let found = try normalize("i", "b", channels)
            try builder.node("Identity", ["b"], "y")
            expect(found)
        case 6:
            expect(try normalize(value, "m", channels))
            _ = try normalize("m", "y", channels)
            builder.output("m")
        default:
            expect(try normalize(value, "y", channels))
        }
        try builder.node("Sigmoid", ["y"], "z")
        builder.output("z")
    }
}
