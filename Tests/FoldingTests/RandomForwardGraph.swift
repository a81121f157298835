import Graph
import Tensors

import Folding

/// A small random graph with one normalization of its input and what follows it, and whether all of that takes it.
///
///     x → bn → up to three operators that may let it through → one or two layers
///
/// with another reader or a graph output on the way at times.
struct RandomForwardGraph {
    var builder: GraphBuilder
    /// What is to become of the normalization, by the formulas of the operators alone.
    private(set) var folds = true
    private let scalesArePositive: Bool
    private let hasShift: Bool
    /// Where the way is: the value, its extents, [N, C, H, W].
    private var value = "h"
    private var shape: [Int]
    private var count = 0

    /// Everything follows from `seed`. Half of the graphs have equal extents wherever an axis could be taken for another.
    init(seed: UInt64) throws {
        var builder = GraphBuilder(seed: seed, elementType: seed.isMultiple(of: 2) ? .float64 : .float32)
        let isSquare = Bool.random(using: &builder.random)
        shape = isSquare ? [4, 4, 4, 4] : [2, [2, 4, 6].randomElement(using: &builder.random)!, 5, 6]
        scalesArePositive = Int.random(in: 0..<3, using: &builder.random) > 0
        hasShift = Int.random(in: 0..<3, using: &builder.random) > 0
        let channels = shape[1]
        var scale = builder.reals(channels, in: 0.5...2)
        if !scalesArePositive {
            scale[Int.random(in: 0..<channels, using: &builder.random)] *= [-1, 0].randomElement(
                using: &builder.random)!
        }
        let batch: Dimension =
            isSquare || Bool.random(using: &builder.random) ? .known(shape[0]) : .symbol("N")
        builder.input("x", [batch] + shape[1...].map(Dimension.known))
        try builder.batchNorm(
            "x", "h", scale: scale,
            bias: hasShift ? builder.reals(channels) : [Double](repeating: 0, count: channels),
            mean: [Double](repeating: 0, count: channels), variance: [Double](repeating: 1, count: channels),
            name: "bn", ["epsilon": .real(0)])
        self.builder = builder
        try follow()
    }

    private mutating func follow() throws {
        let start = (value, shape)
        for _ in 0..<pick(0...3) { try passage() }
        if chance(5) {
            builder.output(value)
            folds = false
        }
        try layer()
        if chance(25) {
            (value, shape) = start
            try layer()
        }
        if chance(5) {
            try builder.node("Sigmoid", ["h"], "blocking")
            builder.output("blocking")
            folds = false
        }
    }

    private mutating func pick(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &builder.random)
    }
    private mutating func chance(_ percent: Int) -> Bool { pick(1...100) <= percent }

    private mutating func require(_ condition: Bool) { folds = folds && condition }

    private mutating func name(_ stem: String) -> String {
        count += 1
        return "\(stem)\(count)"
    }

    private mutating func integers(_ values: [Int]) -> String {
        let name = name("integers")
        builder.constants[name] = Tensor(values.map(Int64.init))
        return name
    }

    /// The way goes on behind a node.
    private mutating func advance(
        _ type: String, _ further: [String?] = [], _ attributes: [String: Attribute] = [:],
        to newShape: [Int]? = nil
    ) throws {
        let output = name("v")
        try builder.node(type, [value] + further, output, attributes)
        value = output
        shape = newShape ?? shape
    }
}

/// Operators that an affine may pass.
extension RandomForwardGraph {
    private mutating func passage() throws {
        switch pick(0...9) {
        case 0:
            try advance(chance(50) ? "Relu" : "LeakyRelu")
            require(!hasShift && scalesArePositive)
        case 1: try pool("MaxPool")
        case 2: try pool("AveragePool")
        case 3:
            let isConstant = chance(50)
            let pads = integers([0, 0, 1, 0, 0, 0, 0, 1])
            try advance(
                "Pad", [pads], ["mode": .string(isConstant ? "constant" : "edge")],
                to: [shape[0], shape[1], shape[2] + 1, shape[3] + 1])
            require(!isConstant || !hasShift)
        case 4:
            try advance(
                "Transpose", [], ["perm": .integers([0, 1, 3, 2])],
                to: [shape[0], shape[1], shape[3], shape[2]])
        case 5 where shape[1] > 2:
            let first = pick(0...1)
            let (starts, ends) = (integers([first]), integers([shape[1] - 1 + first]))
            try advance(
                "Slice", [starts, ends, integers([1])],
                to: [shape[0], shape[1] - 1, shape[2], shape[3]])
        case 6:
            let isFirst = chance(50)
            let output = name("v")
            try builder.node(
                "Concat", isFirst ? [value, try other()] : [try other(), value], output,
                ["axis": .integer(chance(50) ? 1 : -3)])
            (value, shape[1]) = (output, shape[1] + 2)
        case 7 where shape[2] * shape[3] < 64:
            let scales = name("scales")
            builder.constants[scales] = Tensor([1, 1, 2, 1] as [Float])
            try advance(
                "Resize", [nil, scales], ["mode": .string(chance(50) ? "nearest" : "linear")],
                to: [shape[0], shape[1], shape[2] * 2, shape[3]])
        case 8:
            try advance(
                "ReduceMean", [], ["axes": .integers([3]), "keepdims": .integer(1)],
                to: [shape[0], shape[1], shape[2], 1])
        case 9 where shape[1].isMultiple(of: 2):
            let order = (0..<shape[1]).map { ($0 + shape[1] / 2) % shape[1] }
            try advance("Gather", [integers(order)], ["axis": .integer(1)])
        default: break
        }
    }

    private mutating func pool(_ type: String) throws {
        guard shape[2] > 2, shape[3] > 2 else { return }
        let isPadded = chance(50)
        let counts = type == "AveragePool" && chance(50)
        var attributes: [String: Attribute] = [
            "kernel_shape": .integers([2, 2]), "strides": .integers([1, 1]),
        ]
        if isPadded { attributes["pads"] = .integers([1, 0, 0, 1]) }
        if counts { attributes["count_include_pad"] = .integer(1) }
        let change = isPadded ? 0 : -1
        try advance(type, [], attributes, to: [shape[0], shape[1], shape[2] + change, shape[3] + change])
        require(type == "MaxPool" ? scalesArePositive : !(isPadded && counts && hasShift))
    }

    /// A value of two channels that no affine has touched, shaped as the way is.
    private mutating func other() throws -> String {
        let name = name("other")
        var dimensions = builder.inputs[0].info.dimensions ?? []
        dimensions[1...] = [.known(2), .known(shape[2]), .known(shape[3])]
        builder.input(name, dimensions)
        return name
    }
}

/// Layers that may take it.
extension RandomForwardGraph {
    private mutating func layer() throws {
        switch pick(0...5) {
        case 0...1: try convolution()
        case 2: try transposedConvolution()
        case 3: try dense()
        case 4: try product()
        default: try recurrent()
        }
        builder.output(value)
    }

    private mutating func convolution() throws {
        let divisors = [1, 2, shape[1]].filter { shape[1].isMultiple(of: $0) }
        let group = chance(50) ? 1 : divisors[pick(0...divisors.count - 1)]
        let isPadded = chance(50)
        var attributes: [String: Attribute] = [
            "group": .integer(Int64(group)), "strides": .integers([Int64(pick(1...2)), 1]),
        ]
        let kernel = isPadded ? [2, 3] : [min(2, shape[2]), min(3, shape[3])]
        if isPadded { attributes["pads"] = .integers([1, 2, Int64(pick(0...1)), 1]) }
        let weight = name("w")
        try builder.weight(weight, [group * 2, shape[1] / group] + kernel)
        var inputs: [String?] = [weight]
        if chance(50) { inputs.append(try builder.weight(weight + ".c", [group * 2])) }
        try advance("Conv", inputs, attributes)
        require(!isPadded || !hasShift || group == 1)
    }

    private mutating func transposedConvolution() throws {
        let group = chance(50) && shape[1].isMultiple(of: 2) ? 2 : 1
        let isPoint = chance(60)
        let weight = name("w")
        try builder.weight(weight, [shape[1], 2] + (isPoint ? [1, 1] : [2, 2]))
        var inputs: [String?] = [weight]
        if chance(50) { inputs.append(try builder.weight(weight + ".c", [group * 2])) }
        try advance(
            "ConvTranspose", inputs,
            [
                "group": .integer(Int64(group)),
                "strides": .integers(isPoint ? [1, 1] : [2, 1]),
            ])
        require(isPoint || !hasShift)
    }

    private mutating func dense() throws {
        let features = shape[1...].reduce(1, *)
        if chance(50) {
            // The other layout's order.
            try advance("Transpose", [], ["perm": .integers([0, 2, 3, 1])])
        }
        try advance("Flatten")
        let transB = chance(50)
        let weight = name("w")
        try builder.weight(weight, transB ? [3, features] : [features, 3])
        var inputs: [String?] = [weight]
        if chance(70) { inputs.append(try builder.weight(weight + ".c", chance(50) ? [3] : [])) }
        try advance(
            "Gemm", inputs,
            [
                "transB": .integer(transB ? 1 : 0), "alpha": .real([1, -0.5][pick(0...1)]),
                "beta": .real([1, 0, 2][pick(0...2)]),
            ])
    }

    /// Along the channels, or along an axis as long that is not theirs.
    private mutating func product() throws {
        let isLast = chance(70)
        if isLast { try advance("Transpose", [], ["perm": .integers([0, 2, 3, 1])]) }
        let weight = name("w")
        try builder.weight(weight, [isLast ? shape[1] : shape[3], 3])
        try advance("MatMul", [weight])
        if chance(50) { try advance("Add", [try builder.weight(weight + ".c", [3])]) }
        require(isLast)
    }

    private mutating func recurrent() throws {
        try advance(
            "Reshape", [integers([0, shape[1], -1])], to: [shape[0], shape[1], shape[2] * shape[3], 1])
        try advance("Transpose", [], ["perm": .integers([2, 0, 1])])
        let weight = name("w")
        try builder.weight(weight, [1, 2 * 3, shape[1]])
        try builder.weight(weight + ".r", [1, 2 * 3, 2])
        var inputs: [String?] = [weight, weight + ".r"]
        if chance(50) { inputs.append(try builder.weight(weight + ".b", [1, 2 * 6])) }
        try advance("GRU", inputs)
    }
}
