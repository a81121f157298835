import Graph
import Tensors

import Folding

/// A random tree of operators that folds go through, with a batch normalization or a scale behind it: nothing is said of
/// what must fold, only that the function stays.
struct RandomTree {
    var builder: GraphBuilder
    private var nextNumber = 0
    private var values: [(name: String, shape: [Int])] = []

    /// Everything follows from `seed`. Square trees have equal extents wherever an axis could be taken for another.
    init(seed: UInt64) throws {
        builder = GraphBuilder(seed: seed, elementType: .float64)
        builder.opset = [9, 12, 13, 18, 20][Int.random(in: 0..<5, using: &builder.random)]
        let extent = pick(2...3)
        let rank = pick(2...4)
        let shape = (0..<rank).map { _ in chance(40) ? extent : chance(25) ? 1 : pick(1...4) }
        let value = try tree(shape, depth: pick(1...3))
        try normalize(value, shape)
        if chance(20) { try normalize(value, shape) }
    }

    private mutating func pick(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &builder.random)
    }
    private mutating func chance(_ percent: Int) -> Bool { pick(1...100) <= percent }

    private mutating func unused(_ stem: String) -> String {
        nextNumber += 1
        return "\(stem)\(nextNumber)"
    }

    private mutating func integers(_ values: [Int]) -> String {
        let name = unused("i")
        builder.constants[name] = Tensor(values.map { Int64($0) })
        return name
    }

    private mutating func weight(_ shape: [Int]) throws -> String { try builder.weight(unused("w"), shape) }

    private mutating func add(
        _ type: String, _ inputs: [String?], _ attributes: [String: Attribute] = [:]
    ) throws -> String {
        try builder.node(type, inputs, unused("v"), attributes)
    }

    /// With scales of every sign or positive ones alone, with a shift or without.
    private mutating func normalize(_ value: String, _ shape: [Int]) throws {
        let (output, name) = (unused("y"), unused("bn"))
        let channels = shape[1]
        let isPositive = chance(75)
        let hasShift = chance(50)
        let isUniform = chance(15)
        func spread(_ values: [Double]) -> [Double] { isUniform ? values.map { _ in values[0] } : values }
        switch pick(0...5) {
        case 0:
            let axis = pick(0...shape.count - 1)
            var dimensions = [Int](repeating: 1, count: shape.count)
            dimensions[axis] = shape[axis]
            let scale = try builder.constant(
                unused("k"), builder.reals(shape[axis], in: isPositive ? 0.5...2 : -2...2), dimensions)
            try builder.node("Mul", [value, scale], output, name: name)
        default:
            var scale = builder.reals(channels, in: isPositive ? 0.5...2 : -2...2)
            if !isPositive, chance(30) { scale[pick(0...channels - 1)] = [0, 1e-9][pick(0...1)] }
            let zero = [Double](repeating: 0, count: channels)
            let (bias, mean) = hasShift ? (builder.reals(channels), builder.reals(channels)) : (zero, zero)
            try builder.batchNorm(
                value, output, scale: spread(scale), bias: spread(bias), mean: spread(mean),
                variance: spread(builder.reals(channels, in: 0.1...2)), name: name)
        }
        builder.output(try builder.node("Sigmoid", [output], unused("z")))
    }

    /// A value of that shape: sometimes one that is there already, sometimes one that is read elsewhere too.
    private mutating func tree(_ shape: [Int], depth: Int) throws -> String {
        if chance(6), let known = values.first(where: { $0.shape == shape }) { return known.name }
        let value = depth == 0 || chance(15) ? try producer(shape) : try passing(shape, depth: depth - 1)
        values.append((value, shape))
        if chance(3) {
            builder.output(value)
        } else if chance(3) {
            builder.output(try add("Tanh", [value]))
        }
        return value
    }

    private mutating func input(_ shape: [Int]) -> String {
        let name = unused("x")
        builder.input(name, shape)
        return name
    }

    // MARK: Producers

    private mutating func producer(_ shape: [Int]) throws -> String {
        if chance(4) { return input(shape) }
        let rank = shape.count
        let depth = pick(1...3)
        switch pick(0...4) {
        case 0 where rank >= 3:
            let x = input([shape[0], depth] + shape.dropFirst(2))
            let kernel = [Int](repeating: 3, count: rank - 2)
            let pads = [Int64](repeating: 1, count: 2 * (rank - 2))
            let bias = chance(50) ? try weight([shape[1]]) : nil
            return try add(
                "Conv", [x, try weight([shape[1], depth] + kernel), bias].trimmed, ["pads": .integers(pads)])
        case 1 where rank >= 3:
            let group = shape[1].isMultiple(of: 2) && chance(50) ? 2 : 1
            let x = input([shape[0], depth * group] + shape.dropFirst(2))
            let kernel = [Int](repeating: 1, count: rank - 2)
            let bias = chance(50) ? try weight([shape[1]]) : nil
            return try add(
                "ConvTranspose", [x, try weight([depth * group, shape[1] / group] + kernel), bias].trimmed,
                ["group": .integer(Int64(group))])
        case 2 where rank == 2:
            let isTransposed = chance(50)
            let w = try weight(isTransposed ? [shape[1], depth] : [depth, shape[1]])
            let bias = chance(50) ? try weight([[shape[1]], [1], [shape[0], 1]][pick(0...2)]) : nil
            // C is required before opset 11.
            let c = bias == nil && builder.opset < 11 ? try weight([1]) : bias
            return try add(
                "Gemm", [input([shape[0], depth]), w, c].trimmed,
                ["transB": .integer(isTransposed ? 1 : 0), "beta": .real(chance(50) ? 1 : -0.5)])
        case 3 where rank >= 2:
            // W·x: the channels of rank 3 are its rows.
            let x = input(shape.dropLast(2) + [depth, shape[rank - 1]])
            return try add("MatMul", [try weight([shape[rank - 2], depth]), x])
        default:
            let x = input(shape.dropLast() + [depth])
            let product = try add("MatMul", [x, try weight([depth, shape[rank - 1]])])
            guard chance(50) else { return product }
            let c = try weight(chance(50) ? [shape[rank - 1]] : shape)
            return try add("Add", chance(50) ? [product, c] : [c, product])
        }
    }

    // MARK: What is gone through

    private mutating func passing(_ shape: [Int], depth: Int) throws -> String {
        switch pick(0...4) {
        case 0: try rearranged(shape, depth: depth)
        case 1: try joined(shape, depth: depth)
        case 2: try cut(shape, depth: depth)
        case 3: try activated(shape, depth: depth)
        default: try pooled(shape, depth: depth)
        }
    }

    private mutating func rearranged(_ shape: [Int], depth: Int) throws -> String {
        let rank = shape.count
        let count = shape.reduce(1, *)
        switch pick(0...7) {
        case 0:
            let perm = (0..<rank).shuffled(using: &builder.random)
            var before = shape
            for (axis, source) in perm.enumerated() { before[source] = shape[axis] }
            let value = try tree(before, depth: depth)
            return try add("Transpose", [value], ["perm": .integers(perm.map { Int64($0) })])
        case 1:
            // Some way to write the count as a product.
            var before: [Int] = []
            var rest = count
            while before.count < 3 {
                let divisors = (1...rest).filter { rest.isMultiple(of: $0) }
                before.append(divisors[pick(0...divisors.count - 1)])
                rest /= before.last!
            }
            before.append(rest)
            if chance(50) { before = [shape[0], count / shape[0]] }
            return try add("Reshape", [try tree(before, depth: depth), integers(shape)])
        case 2 where rank < 4:
            // Without the last axis, whose extent is 1.
            let value = try tree(shape + [1], depth: depth)
            return builder.opset < 13
                ? try add("Squeeze", [value], ["axes": .integers([Int64(rank)])])
                : try add("Squeeze", [value, integers([rank])])
        case 3 where rank == 4 && shape[1].isMultiple(of: 4):
            let value = try tree([shape[0], shape[1] / 4, shape[2] * 2, shape[3] * 2], depth: depth)
            return try add("SpaceToDepth", [value], ["blocksize": .integer(2)])
        case 3 where rank == 4 && shape[2].isMultiple(of: 2) && shape[3].isMultiple(of: 2):
            let value = try tree([shape[0], shape[1] * 4, shape[2] / 2, shape[3] / 2], depth: depth)
            var attributes: [String: Attribute] = ["blocksize": .integer(2)]
            if builder.opset >= 11, chance(50) { attributes["mode"] = .string("CRD") }
            return try add("DepthToSpace", [value], attributes)
        case 4 where rank == 2:
            let divisors = (1...shape[1]).filter { shape[1].isMultiple(of: $0) }
            let extent = divisors[pick(0...divisors.count - 1)]
            let value = try tree([shape[0], extent, shape[1] / extent], depth: depth)
            return try add("Flatten", [value])
        case 4 where shape[rank - 1] == 1 && rank > 2:
            let value = try tree(shape.dropLast(), depth: depth)
            return builder.opset < 13
                ? try add("Unsqueeze", [value], ["axes": .integers([Int64(rank - 1)])])
                : try add("Unsqueeze", [value, integers([-1])])
        case 5:
            let axis = pick(0...rank - 1)
            guard shape[axis].isMultiple(of: 2) else { fallthrough }
            var (before, repeats) = (shape, [Int](repeating: 1, count: rank))
            before[axis] /= 2
            repeats[axis] = 2
            return try add("Tile", [try tree(before, depth: depth), integers(repeats)])
        default:
            var before = shape
            before[pick(0...rank - 1)] = 1
            return try add("Expand", [try tree(before, depth: depth), integers(shape)])
        }
    }

    private mutating func joined(_ shape: [Int], depth: Int) throws -> String {
        switch pick(0...5) {
        case 0...1:
            let axis = chance(70) ? 1 : pick(0...shape.count - 1)
            let first = pick(0...shape[axis])
            var (left, right) = (shape, shape)
            left[axis] = first
            right[axis] -= first
            guard first > 0, first < shape[axis] else { fallthrough }
            let isConstant = chance(15)
            let one = isConstant ? try weight(left) : try tree(left, depth: depth)
            let other = try tree(right, depth: depth)
            return try add("Concat", [one, other], ["axis": .integer(Int64(axis))])
        case 2...3:
            let type = ["Add", "Sub", "Sum"][pick(0...2)]
            let one = try tree(shape, depth: depth)
            var other = shape
            if chance(25) { other[pick(0...shape.count - 1)] = 1 }
            let second = chance(20) ? try weight(other) : try tree(other, depth: depth)
            return try add(type, chance(50) ? [one, second] : [second, one])
        case 4:
            let one = try tree(shape, depth: depth)
            if chance(30) {
                var mask = shape
                mask[1] = chance(50) ? 1 : shape[1]
                let constant = try builder.constant(
                    unused("m"), builder.reals(mask.reduce(1, *), in: 0.5...2), mask)
                return try add(["Mul", "Div"][pick(0...1)], [one, constant])
            }
            var narrow = shape
            if chance(60) { narrow[shape.count - 1] = 1 }
            let gate = try add("Sigmoid", [try tree(narrow, depth: 0)])
            guard chance(75) else { return try add("Div", [one, gate]) }
            return try add("Mul", chance(50) ? [one, gate] : [gate, one])
        default:
            let same = try tree(shape, depth: depth)
            return try add("Add", [same, same])
        }
    }

    private mutating func cut(_ shape: [Int], depth: Int) throws -> String {
        let axis = chance(60) ? 1 : pick(0...shape.count - 1)
        var before = shape
        let extra = pick(1...3)
        before[axis] += extra
        let value = try tree(before, depth: depth)
        if chance(50) {
            let isFirst = chance(50)
            let parts = isFirst ? [shape[axis], extra] : [extra, shape[axis]]
            let (part, other) = (unused("v"), unused("v"))
            let outputs: [String?] = isFirst ? [part, other] : [other, part]
            let isStated = builder.opset < 13
            var attributes: [String: Attribute] = ["axis": .integer(Int64(axis))]
            if isStated { attributes["split"] = .integers(parts.map { Int64($0) }) }
            builder.nodes.append(
                try Node(
                    name: unused("split"), type: "Split", attributes: attributes, opset: builder.opset,
                    inputs: isStated ? [value] : [value, integers(parts)], outputs: outputs))
            guard extra == shape[axis], chance(50) else {
                if chance(60) { builder.output(try add("Tanh", [other])) }
                return part
            }
            // Both parts, the other way round.
            return try add("Sub", isFirst ? [other, part] : [part, other])
        }
        let start = pick(0...extra)
        if builder.opset < 10 {
            return try add(
                "Slice", [value],
                [
                    "axes": .integers([Int64(axis)]), "starts": .integers([Int64(start)]),
                    "ends": .integers([Int64(start + shape[axis])]),
                ])
        }
        if chance(40) {
            // Backwards.
            let first = start + shape[axis] - 1
            let end = start == 0 ? -before[axis] - 1 : start - 1
            return try add(
                "Slice",
                [value, integers([first]), integers([end]), integers([axis - shape.count]), integers([-1])])
        }
        return try add(
            "Slice", [value, integers([start]), integers([start + shape[axis]]), integers([axis])])
    }

    private mutating func activated(_ shape: [Int], depth: Int) throws -> String {
        let value = try tree(shape, depth: depth)
        switch pick(0...3) {
        case 0: return try add("Relu", [value])
        case 1: return try add("LeakyRelu", [value], ["alpha": .real(0.25)])
        case 2: return try add("PRelu", [value, try weight([shape[1]] + shape.dropFirst(2).map { _ in 1 })])
        default:
            if builder.opset < 11 {
                return try add("Clip", [value], chance(50) ? ["min": .real(0)] : ["max": .real(0.5)])
            }
            let (low, high) = (unused("k"), unused("k"))
            try builder.constant(low, [chance(60) ? 0 : -0.25], [])
            try builder.constant(high, [0.5], [])
            return try add("Clip", chance(50) ? [value, low] : [value, low, high])
        }
    }

    private mutating func pooled(_ shape: [Int], depth: Int) throws -> String {
        let rank = shape.count
        let spatial = rank - 2
        switch pick(0...7) {
        case 0...2 where spatial > 0:
            var attributes: [String: Attribute] = [
                "kernel_shape": .integers([Int64](repeating: 2, count: spatial))
            ]
            var before = shape
            switch pick(0...2) {
            case 0:
                attributes["auto_pad"] = .string(chance(50) ? "SAME_UPPER" : "SAME_LOWER")
            case 1:
                attributes["pads"] = .integers(
                    [Int64](repeating: 1, count: spatial) + (0..<spatial).map { _ in 0 })
            default:
                for axis in 2..<rank { before[axis] += 1 }
            }
            let isMean = chance(60)
            if isMean, chance(50) { attributes["count_include_pad"] = .integer(1) }
            if builder.opset >= 10, chance(30) { attributes["ceil_mode"] = .integer(1) }
            return try add(isMean ? "AveragePool" : "MaxPool", [try tree(before, depth: depth)], attributes)
        case 3 where rank < 4:
            // A mean over one more axis.
            let axis = pick(0...rank)
            var before = shape
            before.insert(pick(1...3), at: axis)
            let type = chance(60) ? "ReduceMean" : chance(50) ? "ReduceMax" : "ReduceMin"
            let value = try tree(before, depth: depth)
            let axes = chance(50) ? axis : axis - before.count
            return builder.opset < 18
                ? try add(type, [value], ["axes": .integers([Int64(axes)]), "keepdims": .integer(0)])
                : try add(type, [value, integers([axes])], ["keepdims": .integer(0)])
        case 4 where spatial > 0 && shape.dropFirst(2).allSatisfy({ $0 == 1 }):
            let before = Array(shape.prefix(2)) + (0..<spatial).map { _ in pick(1...3) }
            return try add(
                chance(50) ? "GlobalAveragePool" : "GlobalMaxPool", [try tree(before, depth: depth)])
        case 5:
            return try resized(shape, depth: depth)
        default:
            return try padded(shape, depth: depth)
        }
    }

    private mutating func resized(_ shape: [Int], depth: Int) throws -> String {
        let axis = chance(80) ? shape.count - 1 : 1
        var before = shape
        var scales = [Double](repeating: 1, count: shape.count)
        if shape[axis].isMultiple(of: 2) {
            before[axis] /= 2
            scales[axis] = 2
        } else if shape[axis] == 3 {
            // The same extent, and yet another function.
            scales[axis] = 1.25
        }
        let value = try tree(before, depth: depth)
        let name = unused("s")
        builder.constants[name] = Tensor(scales.map { Float($0) })
        let mode = chance(50) ? "nearest" : "linear"
        if builder.opset < 10 { return try add("Upsample", [value, name], ["mode": .string(mode)]) }
        let isCubic = chance(30)
        let transformation = ["half_pixel", "align_corners", "asymmetric"][pick(0...2)]
        let attributes: [String: Attribute] = [
            "mode": .string(isCubic ? "cubic" : mode),
            "coordinate_transformation_mode": .string(transformation),
            "exclude_outside": .integer(isCubic && chance(50) ? 1 : 0),
        ]
        if chance(50) {
            return try add("Resize", [value, try noRegion(), noScales(), integers(shape)], attributes)
        }
        return try add("Resize", [value, try noRegion(), name], attributes)
    }

    private mutating func noRegion() throws -> String {
        try builder.constant(unused("r"), [], [0])
    }

    private mutating func noScales() -> String {
        let name = unused("s")
        builder.constants[name] = Tensor([] as [Float])
        return name
    }

    private mutating func padded(_ shape: [Int], depth: Int) throws -> String {
        let rank = shape.count
        let axis = chance(75) ? rank - 1 : pick(0...rank - 1)
        var (before, pads) = (shape, [Int](repeating: 0, count: 2 * rank))
        if shape[axis] > 1 {
            before[axis] -= 1
            pads[chance(50) ? axis : axis + rank] = 1
        } else {
            before[axis] += 1
            pads[axis] = -1
        }
        let value = try tree(before, depth: depth)
        let mode = ["constant", "constant", "edge"][pick(0...2)]
        var attributes: [String: Attribute] = ["mode": .string(mode)]
        let fill = chance(40) ? 0 : 0.75
        if builder.opset < 11 {
            attributes["pads"] = .integers(pads.map { Int64($0) })
            attributes["value"] = .real(Float(fill))
            return try add("Pad", [value], attributes)
        }
        let constant = fill == 0 ? nil : try builder.constant(unused("k"), [fill], [])
        return try add("Pad", [value, integers(pads), constant].trimmed, attributes)
    }
}

extension [String?] {
    /// Without absent inputs at the end.
    fileprivate var trimmed: [String?] {
        var result = self
        while case .some(nil) = result.last { result.removeLast() }
        return result
    }
}
