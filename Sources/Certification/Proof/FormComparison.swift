import Graph
import Tensors

/// Compares two forms coefficient by coefficient: equal but for the rounding of stored numbers.
///
/// The shape of both must be the same exactly: operators, attributes, geometry, the shared values they read. Every number
/// of one is compared with its counterpart, each an interval; what they differ by at most is written down, and more than
/// the rounding of a few stored numbers is an obstacle.
struct FormComparison {
    /// How many roundings to the stored type a coefficient may have gone through: one fold rounds once, and a second one
    /// that finds the first's result rounds again.
    static let maximumRoundingCount = 4.0

    /// What a few sums and products in Float64 may round, over the terms' magnitudes.
    static let foldingRoundoff = 0x1p-49

    private(set) var coefficients: [CoefficientProof] = []
    private(set) var shiftError = 0.0
    private(set) var scaleError = 0.0
    private var compared: Set<Pair> = []

    private struct Pair: Hashable {
        let before, after: ObjectIdentifier
    }

    mutating func compare(_ before: Form, _ after: Form) throws(Obstacle) {
        try compare(before.core, after.core)
        let type = after.core.type ?? .float64
        try compareScale(before.scale, after.scale, type)
        try compareShift(before.shift, after.shift, type)
    }

    // MARK: - Structure

    private mutating func compare(_ before: Core, _ after: Core) throws(Obstacle) {
        guard compared.insert(Pair(before: ObjectIdentifier(before), after: ObjectIdentifier(after))).inserted
        else { return }
        guard before.extents == after.extents else {
            throw Obstacle("the shapes differ: \(Self.text(before)) and \(Self.text(after))")
        }
        switch (before.kind, after.kind) {
        case (.leaf(let one), .leaf(let other)):
            guard one == other else { throw Obstacle("one reads '\(one)', the other '\(other)'") }
        case (.linear(let one), .linear(let other)): try compare(one, other)
        case (.sum(let one), .sum(let other)):
            guard one.count == other.count else {
                throw Obstacle("one sums \(one.count) values, the other \(other.count)")
            }
            for (left, right) in zip(one, other) { try compare(left, right) }
        case (.apply(let one), .apply(let other)): try compare(one, other)
        default: throw Obstacle("one is \(Self.text(before)), the other \(Self.text(after))")
        }
    }

    private mutating func compare(_ before: Application, _ after: Application) throws(Obstacle) {
        guard before.node.type == after.node.type, before.node.domain == after.node.domain,
            before.output == after.output
        else { throw Obstacle("one applies \(before.node.type), the other \(after.node.type)") }
        switch (before.passage, after.passage) {
        case (.padding(let one), .padding(let other)):
            guard one == other else { throw Obstacle("the pads differ", node: after.node.name) }
        case (.clamping, .clamping): break
        default:
            guard before.node.hasSameAttributes(as: after.node) else {
                throw Obstacle("the attributes of \(after.node.type) differ", node: after.node.name)
            }
        }
        for index in 0..<max(before.arguments.count, after.arguments.count) {
            let one = index < before.arguments.count ? before.arguments[index] : .absent
            let other = index < after.arguments.count ? after.arguments[index] : .absent
            switch (one, other) {
            case (.absent, .absent): break
            case (.constant(let left), .constant(let right)):
                guard left.hasSameBytes(as: right) else {
                    throw Obstacle("the constant input \(index) differs", node: after.node.name)
                }
            case (.form(let left), .form(let right)): try compare(left, right)
            case (.weight(let left), .weight(let right)):
                try compare(left, right, nodes: (before.node.name, after.node.name))
            case (.field(let left), .field(let right)):
                try compareShift(left, right, after.forms.first?.core.type ?? .float64)
            default: throw Obstacle("input \(index) differs", node: after.node.name)
            }
        }
    }

    private mutating func compare(_ before: LinearMap, _ after: LinearMap) throws(Obstacle) {
        guard before.geometry == after.geometry, before.outputAxis == after.outputAxis else {
            throw Obstacle("the geometry differs from that of '\(before.node)'", node: after.node)
        }
        try compare(before.input, after.input)
        try compare(before.weight, after.weight, nodes: (before.node, after.node))
        guard before.tapShift != nil || after.tapShift != nil else { return }
        let count = after.weight.rowCount * after.weight.innerCount
        let zeros = [Ball](repeating: .zero, count: count)
        let (left, right) = (before.tapShift ?? zeros, after.tapShift ?? zeros)
        let type = after.weight.tensor.elementType
        var errors = [Double](repeating: 0, count: after.weight.rowCount)
        for index in 0..<count {
            // The weights of either side are rounded, not their products with shifts.
            let allowed =
                type.unitRoundoff * Self.maximumRoundingCount * max(left[index].mass, right[index].mass)
            errors[index / after.weight.innerCount] += try Self.difference(
                left[index], right[index], type, further: allowed, "shift at a tap")
        }
        shiftError = max(shiftError, errors.max() ?? 0)
    }

    // MARK: - Numbers

    private mutating func compare(
        _ before: WeightView, _ after: WeightView, nodes: (before: String, after: String)
    ) throws(Obstacle) {
        guard before.rowCount == after.rowCount, before.group == after.group,
            before.innerCount == after.innerCount, before.usedColumns == after.usedColumns
        else {
            throw Obstacle("the weight '\(after.name)' has other rows or columns", node: nodes.after)
        }
        var pair = WeightPair(before, after)
        do {
            coefficients.append(try pair.proof(nodes: nodes))
        } catch {
            throw Obstacle(error.reason, node: nodes.after)
        }
    }

    private mutating func compareScale(
        _ before: Field?, _ after: Field?, _ type: ElementType
    ) throws(Obstacle) {
        for (left, right) in try Self.pairs(before, after, neutral: .one) {
            let error = try Self.difference(left, right, type, further: 0, "scale")
            scaleError = max(scaleError, error / max(abs(right.center), .leastNormalMagnitude))
        }
    }

    private mutating func compareShift(
        _ before: Field?, _ after: Field?, _ type: ElementType
    ) throws(Obstacle) {
        for (left, right) in try Self.pairs(before, after, neutral: .zero) {
            shiftError = max(shiftError, try Self.difference(left, right, type, further: 0, "shift"))
        }
    }

    /// The numbers of both, element by element; what is absent is `neutral`.
    private static func pairs(
        _ before: Field?, _ after: Field?, neutral: Ball
    ) throws(Obstacle) -> [(Ball, Ball)] {
        guard let rank = (before ?? after)?.rank else { return [] }
        let one = before ?? Field(uniform: neutral, rank: rank)
        let other = after ?? Field(uniform: neutral, rank: rank)
        let target = try Field.broadcast(one.extents, other.extents)
        return zip(one.positions(in: target), other.positions(in: target)).map {
            (one.balls[$0], other.balls[$1])
        }
    }

    /// What the two numbers differ by at most.
    private static func difference(
        _ before: Ball, _ after: Ball, _ type: ElementType, further: Double, _ role: String
    ) throws(Obstacle) -> Double {
        if before == after, !before.center.isNaN { return before.radius * 2 }
        let distance = abs(before.center - after.center)
        let radius = before.radius + after.radius
        let magnitude = max(abs(before.center), abs(after.center))
        // The folder's own sums in Float64 round too, in another order.
        let computed = 2 * radius + foldingRoundoff * max(before.mass, after.mass)
        let allowed =
            maximumRoundingCount * (type.unitRoundoff * magnitude + type.underflow) + computed + further
        guard distance <= allowed else {
            throw Obstacle("a \(role) is \(after.center), expected \(before.center)")
        }
        return (distance + radius) * Ball.inflation
    }

    private static func text(_ core: Core) -> String {
        let extents = core.extents.map { "[" + $0.map(String.init).joined(separator: ",") + "]" } ?? "[?]"
        switch core.kind {
        case .leaf(let name): return "'\(name)' \(extents)"
        case .linear(let map): return "the linear map of '\(map.node)' \(extents)"
        case .sum(let forms): return "a sum of \(forms.count) values \(extents)"
        case .apply(let application): return "\(application.node.type) \(extents)"
        }
    }
}

extension ElementType {
    /// Half the distance of neighbours at 1: what rounding to nearest errs by at most, relatively.
    var unitRoundoff: Double {
        switch self {
        case .float16: 0x1p-11
        case .bfloat16: 0x1p-8
        case .float32: 0x1p-24
        default: 0x1p-53
        }
    }

    /// Half the distance of neighbours around 0.
    var underflow: Double {
        switch self {
        case .float16: 0x1p-25
        case .bfloat16: 0x1p-134
        case .float32: 0x1p-150
        default: .leastNonzeroMagnitude
        }
    }
}
