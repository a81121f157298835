import Graph
import Tensors

/// Two weights with their factors, compared element by element.
struct WeightPair {
    private let before: WeightView
    private let after: WeightView

    /// The most elements of a weight that is stored in another order than its counterpart.
    static let maximumReorderedCount = 1 << 26

    init(_ before: WeightView, _ after: WeightView) {
        self.before = before
        self.after = after
    }

    /// Whether both are the same weights with the same factors.
    func isSame(as other: WeightPair) -> Bool {
        before.isSame(as: other.before) && after.isSame(as: other.after)
    }

    /// What every coefficient differs by at most. Throws an `Obstacle` where it is more than rounding.
    ///
    /// `rows`: those that count; `nil`: all.
    func proof(
        rows: [Bool]?, nodes: (before: String, after: String)
    ) throws(Obstacle) -> CoefficientProof {
        var proof = CoefficientProof(before, after, nodes: nodes)
        if before.isPlain, after.isPlain, before.rowsAreOuter == after.rowsAreOuter,
            before.middleCount == after.middleCount, before.tensor.hasSameBytes(as: after.tensor)
        {
            before.tensor.releasePages()
            return proof
        }
        let isSameOrder = before.rowsAreOuter == after.rowsAreOuter
        let reader = ElementReader(before.tensor)
        var elements = [Double](repeating: 0, count: before.middleCount * before.innerCount)
        if !isSameOrder {
            guard before.tensor.shape.count <= Self.maximumReorderedCount else {
                throw Obstacle(
                    "the weight '\(before.name)' is stored in another order and too large to compare")
            }
            elements = [Double](repeating: 0, count: before.tensor.shape.count)
            reader.read(0, into: &elements)
        }
        let taps = after.innerCount
        let type = before.tensor.elementType.finer(after.tensor.elementType)
        let tolerance = FormComparison.maximumRoundingCount * type.unitRoundoff
        let least = FormComparison.maximumRoundingCount * type.underflow
        let isUnscaled = after.isPlain
        let hasOneFactorARow =
            isSameOrder && after.rowsAreOuter && before.columnScale == nil && after.columnScale == nil
        try after.forEachOuter { (outer, stored) throws(Obstacle) in
            if isSameOrder { reader.read(outer * elements.count, into: &elements) }
            if hasOneFactorARow {
                guard rows?[outer] ?? true else { return }
                let run = WeightRun(
                    expected: before.rowFactor(outer), found: after.rowFactor(outer), tolerance: tolerance,
                    least: least)
                if run.compare(elements, stored, count: after.usedColumns * taps, &proof) { return }
            }
            for middle in 0..<after.middleCount where after.isUsed(outer, middle) {
                let (row, column) = (after.row(outer, middle), after.column(outer, middle))
                guard rows?[row] ?? true else { continue }
                let inner = after.rowsAreOuter ? column % after.middleCount : middle
                let start = isSameOrder ? inner * taps : before.start(row: row, column: inner)
                // A dropped column moves the numbers of those behind it; only the last are ever dropped.
                let expected =
                    before.rowFactor(row) * before.columnFactor(before.column(outer, middle, after))
                let found = isUnscaled ? Ball.one : after.rowFactor(row) * after.columnFactor(column)
                for tap in 0..<taps {
                    let left = elements[start + tap] * expected.center
                    let right = stored[middle * taps + tap] * found.center
                    let distance = abs(left - right)
                    let radius =
                        abs(elements[start + tap]) * expected.radius
                        + abs(stored[middle * taps + tap]) * found.radius
                        + (abs(left) + abs(right)) * Ball.roundoff
                    let magnitude = max(abs(left), abs(right))
                    guard distance.isFinite, radius.isFinite,
                        distance <= tolerance * magnitude + least + 2 * radius
                    else {
                        throw Obstacle(
                            """
                            the weight '\(after.name)' has \(right) at row \(row), column \(column), tap \(tap), \
                            expected \(left)
                            """)
                    }
                    proof.add((distance + radius) * Ball.inflation, at: abs(right))
                }
            }
        }
        // Mapped pages count as memory while they are resident.
        before.tensor.releasePages()
        return proof
    }
}

extension WeightView {
    fileprivate func isSame(as other: WeightView) -> Bool {
        name == other.name && tensor.shape == other.tensor.shape && usedColumns == other.usedColumns
            && group == other.group && selections == other.selections && rowScale == other.rowScale
            && columnScale == other.columnScale
    }

    var isPlain: Bool { rowScale == nil && columnScale == nil }

    /// The position of an element in a product's weight, which has one tap and one group.
    fileprivate func start(row: Int, column: Int) -> Int {
        rowsAreOuter ? row * middleCount + column : column * middleCount + row
    }

    /// The number of the column that stands where `other` has (outer, middle).
    fileprivate func column(_ outer: Int, _ middle: Int, _ other: WeightView) -> Int {
        if rowsAreOuter == other.rowsAreOuter { return column(outer, middle) }
        return other.column(outer, middle)
    }
}

/// Elements that have the same factors, compared several at a time.
private struct WeightRun {
    let expected: Ball
    let found: Ball
    let tolerance: Double
    let least: Double

    private typealias Lanes = SIMD2<Double>
    private typealias LanesMask = SIMDMask<Lanes.MaskStorage>

    /// Adds the first `count` elements to the proof; `false` when one differs by more than rounding, or some are left over:
    /// nothing is added then.
    func compare(
        _ before: [Double], _ after: [Double], count: Int, _ proof: inout CoefficientProof
    ) -> Bool {
        guard count.isMultiple(of: Lanes.scalarCount), count <= min(before.count, after.count) else {
            return false
        }
        let byteCount = count * MemoryLayout<Double>.stride
        return before.withUnsafeBytes { before in
            after.withUnsafeBytes { after in
                let before = UnsafeRawBufferPointer(rebasing: before[..<byteCount])
                let after = UnsafeRawBufferPointer(rebasing: after[..<byteCount])
                // Few runs hold an error that is larger than all before it.
                return addsNothing(before, after, to: proof) || add(before, after, to: &proof)
            }
        }
    }

    /// Factors that are known less exactly are left to the slower comparison.
    private static let maximumRelativeRadius = 0x1p-20

    /// Whether no element differs by more than rounding, nor by more than others of the proof do, as bounds from above say
    /// that take a third of the time. `false`: perhaps.
    private func addsNothing(
        _ before: UnsafeRawBufferPointer, _ after: UnsafeRawBufferPointer, to proof: CoefficientProof
    ) -> Bool {
        guard expected.radius <= abs(expected.center) * Self.maximumRelativeRadius,
            found.radius <= abs(found.center) * Self.maximumRelativeRadius, expected.center != 0,
            found.center != 0
        else { return false }
        // With d = |l − r|, |l| ≤ |r| + d, and an element is its product over its factor: the radius is at most
        // (|r| + d)·a + |r|·b, where a and b are the factors' relative radii and a rounding each.
        let a = expected.radius / abs(expected.center) + Ball.roundoff
        let b = found.radius / abs(found.center) + Ball.roundoff
        let inflation = Ball.inflation * Ball.inflation * Ball.inflation
        let (perDistance, perSize) = ((1 + a) * inflation, (a + b) * inflation)
        var isWithin = LanesMask(repeating: true)
        for offset in stride(from: 0, to: after.count, by: MemoryLayout<Lanes>.stride) {
            let x = before.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
            let y = after.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
            let right = y * found.center
            let distance = Self.absolute(x * expected.center - right)
            let size = Self.absolute(right)
            let error = distance * perDistance + size * perSize
            // Written so that NaN and ∞ are no equality.
            isWithin .&= (distance .<= size * tolerance + least) .& (error .<= proof.absoluteError)
                .& (error .<= size * proof.relativeError)
        }
        return all(isWithin)
    }

    private func add(
        _ before: UnsafeRawBufferPointer, _ after: UnsafeRawBufferPointer, to proof: inout CoefficientProof
    ) -> Bool {
        // As the elements are compared one by one, in the same order of operations.
        var largest = Lanes.zero
        var relative = Lanes.zero
        var atZero = Lanes.zero
        var isWithin = LanesMask(repeating: true)
        for offset in stride(from: 0, to: after.count, by: MemoryLayout<Lanes>.stride) {
            let x = before.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
            let y = after.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
            let left = x * expected.center
            let right = y * found.center
            let distance = Self.absolute(left - right)
            let (leftSize, rightSize) = (Self.absolute(left), Self.absolute(right))
            let radius =
                Self.absolute(x) * expected.radius + Self.absolute(y) * found.radius
                + (leftSize + rightSize)
                * Ball.roundoff
            let magnitude = leftSize.replacing(with: rightSize, where: leftSize .< rightSize)
            let bound = magnitude * tolerance + least + radius * 2
            isWithin .&= (distance .<= bound) .& (bound .< .infinity)
            let error = (distance + radius) * Ball.inflation
            let isZero = rightSize .== 0
            let ratio = (error / rightSize).replacing(with: 0, where: isZero)
            let zeroError = error.replacing(with: 0, where: .!isZero)
            largest.replace(with: error, where: error .> largest)
            relative.replace(with: ratio, where: ratio .> relative)
            atZero.replace(with: zeroError, where: zeroError .> atZero)
        }
        guard all(isWithin) else { return false }
        proof.add(largest: largest.max(), relative: relative.max(), atZero: atZero.max())
        return true
    }

    private static func absolute(_ x: Lanes) -> Lanes {
        let mask = SIMD2<UInt64>(repeating: 0x7fff_ffff_ffff_ffff)
        return unsafeBitCast(unsafeBitCast(x, to: SIMD2<UInt64>.self) & mask, to: Lanes.self)
    }
}
