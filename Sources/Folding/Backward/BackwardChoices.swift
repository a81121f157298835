/// The decisions of a plan that may be taken either way: which operand of a sum has the shift, which factor the scale.
///
/// A plan that was refused is made anew with the next combination, the last decision changing first.
struct BackwardChoices {
    /// The most combinations that are tried for one affine: four decisions with two ways each.
    static let maximumAttemptCount = 16

    private var taken: [Int] = []
    private var counts: [Int] = []
    private var position = 0
    private var attemptCount = 1

    /// One of `count` ways, 0 at first.
    mutating func next(of count: Int) -> Int {
        defer { position += 1 }
        if position == taken.count {
            taken.append(0)
            counts.append(count)
        }
        return taken[position]
    }

    /// Goes to the next combination; `false` when all were tried, or enough.
    mutating func advance() -> Bool {
        position = 0
        attemptCount += 1
        while let last = taken.popLast(), let count = counts.popLast() {
            guard last + 1 < count else { continue }
            taken.append(last + 1)
            counts.append(count)
            return attemptCount <= Self.maximumAttemptCount
        }
        return false
    }
}
