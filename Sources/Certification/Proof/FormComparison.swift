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

    /// The most that may be lost where sums cancel, over the result or 1.
    static let maximumLoss = 0x1p-8

    private(set) var coefficients: [CoefficientProof] = []
    private(set) var shiftError = 0.0
    private(set) var scaleError = 0.0
    /// Whether the errors together bound the difference of the results.
    private(set) var hasBound = true
    /// Whether what is compared goes through something that may make its error larger.
    private var isFollowed = false
    private var compared: Set<Pair> = []
    /// The weights that were compared, for another size of the inputs too.
    private var known: [KnownWeight] = []

    init() {}

    /// A comparison at another size of the inputs, where most weights have the same factors.
    init(after other: FormComparison) { known = other.known }

    /// Takes the larger errors of both.
    mutating func cover(_ other: FormComparison) {
        shiftError = max(shiftError, other.shiftError)
        scaleError = max(scaleError, other.scaleError)
        hasBound = hasBound && other.hasBound
    }

    private struct KnownWeight {
        let pair: WeightPair
        let rows: [Bool]?
        let proof: CoefficientProof

        func holds(_ other: WeightPair, _ otherRows: [Bool]?) -> Bool {
            rows == otherRows && pair.isSame(as: other)
        }
    }

    private struct Pair: Hashable {
        let before, after: ObjectIdentifier
    }

    mutating func compare(_ before: Form, _ after: Form) throws(Obstacle) {
        try compare(before, after, needed: nil)
    }

    // MARK: - Structure

    /// `needed`: the elements that anything depends on; `nil`: all.
    private mutating func compare(_ before: Form, _ after: Form, needed: [Bool]?) throws(Obstacle) {
        try compare(before.core, after.core, needed: needed)
        let type = (before.core.type ?? .float64).finer(after.core.type ?? .float64)
        try compareScale(before.scale, after.scale, type, (after.core.extents, needed))
        try compareShift(before.shift, after.shift, type, (after.core.extents, needed))
    }

    private mutating func compare(_ before: Core, _ after: Core, needed: [Bool]?) throws(Obstacle) {
        if needed == nil {
            let pair = Pair(before: ObjectIdentifier(before), after: ObjectIdentifier(after))
            guard compared.insert(pair).inserted else { return }
        }
        guard before.extents == after.extents else {
            throw Obstacle("the shapes differ: \(before.text) and \(after.text)")
        }
        switch (before.kind, after.kind) {
        case (.leaf(let one), .leaf(let other)):
            guard one == other else { throw Obstacle("one reads '\(one)', the other '\(other)'") }
        case (.zero, .zero): break
        case (.linear(let one), .linear(let other)):
            try compare(one, other, rows: NeededElements.rows(of: after, along: other.outputAxis, needed))
        case (.sum(let one), .sum(let other)):
            guard one.count == other.count else {
                throw Obstacle("one sums \(one.count) values, the other \(other.count)")
            }
            for (left, right) in zip(one, other) { try compare(left, right, needed: needed) }
        case (.apply(let one), .apply(let other)):
            try compare(
                one, other, needed: NeededElements.inside(other, after, needed), (after.extents, needed))
        default: throw Obstacle("one is \(before.text), the other \(after.text)")
        }
    }

    private mutating func compare(
        _ before: Application, _ after: Application, needed: [[Bool]?],
        _ output: (extents: [Int]?, needed: [Bool]?)
    ) throws(Obstacle) {
        // Where a number that pads or bounds an element goes.
        var place = output
        switch (before.passage, after.passage) {
        case (.padding(let one), .padding(let other)):
            guard one == other else { throw Obstacle("the pads differ", node: after.node.name) }
        case (.clamping, .clamping), (.broadcast, .broadcast): break
        default:
            guard before.node.type == after.node.type, before.node.domain == after.node.domain,
                before.output == after.output
            else { throw Obstacle("one applies \(before.node.type), the other \(after.node.type)") }
            guard before.node.hasSameAttributes(as: after.node) else {
                throw Obstacle("the attributes of \(after.node.type) differ", node: after.node.name)
            }
            place = (nil, nil)
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
            case (.form(let left), .form(let right)):
                let inner = index < needed.count ? needed[index] : nil
                if after.isLipschitz {
                    try compare(left, right, needed: inner)
                } else {
                    try following { (comparison) throws(Obstacle) in
                        try comparison.compare(left, right, needed: inner)
                    }
                }
            case (.weight(let left), .weight(let right)):
                try compare(left, right, rows: nil, nodes: (before.node.name, after.node.name))
            case (.field(let left), .field(let right)):
                try compareShift(left, right, after.forms.first?.core.type ?? .float64, place)
            default: throw Obstacle("input \(index) differs", node: after.node.name)
            }
        }
    }

    private mutating func compare(
        _ before: LinearMap, _ after: LinearMap, rows: [Bool]?
    ) throws(Obstacle) {
        guard before.geometry == after.geometry, before.outputAxis == after.outputAxis else {
            throw Obstacle("the geometry differs from that of '\(before.node.name)'", node: after.node.name)
        }
        try following { (comparison) throws(Obstacle) in
            try comparison.compare(before.input, after.input, needed: nil)
        }
        try compare(before.weight, after.weight, rows: rows, nodes: (before.node.name, after.node.name))
        guard before.tapShift != nil || after.tapShift != nil else { return }
        let count = after.weight.rowCount * after.weight.innerCount
        let zeros = [Ball](repeating: .zero, count: count)
        let (left, right) = (before.tapShift ?? zeros, after.tapShift ?? zeros)
        let type = before.weight.tensor.elementType.finer(after.weight.tensor.elementType)
        var errors = [Double](repeating: 0, count: after.weight.rowCount)
        for index in 0..<count where rows?[index / after.weight.innerCount] ?? true {
            // The weights of either side are rounded, not their products with shifts.
            let allowed =
                type.unitRoundoff * Self.maximumRoundingCount * max(left[index].mass, right[index].mass)
            errors[index / after.weight.innerCount] += try Self.difference(
                left[index], right[index], type, further: allowed, "shift at a tap")
        }
        add(shift: errors.max() ?? 0)
    }

    /// Compares what something follows that may make its error larger.
    private mutating func following(
        _ body: (inout FormComparison) throws(Obstacle) -> Void
    ) throws(Obstacle) {
        let outer = isFollowed
        isFollowed = true
        defer { isFollowed = outer }
        try body(&self)
    }

    // MARK: - Numbers

    /// Errors of sums add up.
    private mutating func add(shift error: Double) {
        shiftError += error
        if error > 0, isFollowed { hasBound = false }
    }

    private mutating func compare(
        _ before: WeightView, _ after: WeightView, rows: [Bool]?, nodes: (before: String, after: String)
    ) throws(Obstacle) {
        guard before.rowCount == after.rowCount, before.group == after.group,
            before.innerCount == after.innerCount, before.usedColumns == after.usedColumns
        else {
            throw Obstacle("the weight '\(after.name)' has other rows or columns", node: nodes.after)
        }
        let pair = WeightPair(before, after)
        let proof: CoefficientProof
        if let same = known.first(where: { $0.holds(pair, rows) }) {
            proof = same.proof
        } else {
            do {
                proof = try pair.proof(rows: rows, nodes: nodes)
            } catch {
                throw Obstacle(error.reason, node: nodes.after)
            }
            known.append(KnownWeight(pair: pair, rows: rows, proof: proof))
        }
        if proof.absoluteError > 0, isFollowed { hasBound = false }
        coefficients.append(proof)
    }

    private mutating func compareScale(
        _ before: Field?, _ after: Field?, _ type: ElementType, _ place: (extents: [Int]?, needed: [Bool]?)
    ) throws(Obstacle) {
        var largest = 0.0
        for (left, right) in try Self.pairs(before, after, neutral: .one, place) {
            let error = try Self.difference(left, right, type, further: 0, "scale")
            largest = max(largest, error / max(abs(right.center), .leastNormalMagnitude))
        }
        scaleError += largest
        if largest > 0, isFollowed { hasBound = false }
    }

    private mutating func compareShift(
        _ before: Field?, _ after: Field?, _ type: ElementType, _ place: (extents: [Int]?, needed: [Bool]?)
    ) throws(Obstacle) {
        var largest = 0.0
        for (left, right) in try Self.pairs(before, after, neutral: .zero, place) {
            // A sum over a weight that an earlier fold has rounded holds the roundings of all its terms.
            let allowed = type.unitRoundoff * Self.maximumRoundingCount * max(left.mass, right.mass)
            largest = max(largest, try Self.difference(left, right, type, further: allowed, "shift"))
        }
        add(shift: largest)
    }

    /// The numbers of both that are needed, element by element; what is absent is `neutral`.
    private static func pairs(
        _ before: Field?, _ after: Field?, neutral: Ball, _ place: (extents: [Int]?, needed: [Bool]?)
    ) throws(Obstacle) -> [(Ball, Ball)] {
        guard let rank = (before ?? after)?.rank else { return [] }
        let one = before ?? Field(uniform: neutral, rank: rank)
        let other = after ?? Field(uniform: neutral, rank: rank)
        var target = try Field.broadcast(one.extents, other.extents)
        if let needed = place.needed, let extents = place.extents {
            target = extents
            let positions = zip(one.positions(in: target), other.positions(in: target))
            return zip(positions, needed).filter(\.1).map { (one.balls[$0.0.0], other.balls[$0.0.1]) }
        }
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
        let computed = foldingRoundoff * max(before.mass, after.mass)
        // Where large numbers cancel, what is left of them proves nothing.
        let lost = min(computed + further, maximumLoss * max(1, magnitude))
        let allowed =
            maximumRoundingCount * (type.unitRoundoff * magnitude + type.underflow) + 2 * radius + lost
        guard distance.isFinite, radius.isFinite, distance <= allowed else {
            throw Obstacle("a \(role) is \(after.center), expected \(before.center)")
        }
        return (distance + radius) * Ball.inflation
    }

}
