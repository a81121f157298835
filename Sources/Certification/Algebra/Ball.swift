/// A real number that is known to lie within `radius` of `center`: midpoint-radius interval arithmetic, every result
/// rounded outward.
///
/// Source: Rump 1999, "Fast and parallel interval arithmetic".
package struct Ball: Sendable, Equatable {
    package var center: Double
    package var radius: Double
    /// The sum of the magnitudes of the terms that it was computed from: what an evaluation in another order may round.
    var mass: Double

    /// The unit roundoff of Float64.
    static let roundoff = 0x1p-53
    /// More than the relative error with which a radius itself is computed.
    static let inflation = 1 + 0x1p-40

    static let zero = Ball(0)
    static let one = Ball(1)

    package init(_ exact: Double) {
        center = exact
        radius = 0
        mass = abs(exact)
    }

    /// A computed `center` whose exact value differs from it by `error` and by its own rounding.
    package init(rounded center: Double, error: Double, mass: Double? = nil) {
        self.center = center
        self.mass = mass ?? abs(center)
        radius = (error + abs(center) * Self.roundoff + .leastNonzeroMagnitude) * Self.inflation
    }

    var isFinite: Bool { center.isFinite && radius.isFinite }
    /// Whether every number that it may be is more than 0.
    var isPositive: Bool { center > radius }
    /// Whether it is `value` and nothing else.
    func isExactly(_ value: Double) -> Bool { center == value && radius == 0 }

    static func + (left: Ball, right: Ball) -> Ball {
        if left.isExactly(0) { return right }
        if right.isExactly(0) { return left }
        return Ball(
            rounded: left.center + right.center, error: left.radius + right.radius,
            mass: left.mass + right.mass)
    }

    static prefix func - (ball: Ball) -> Ball {
        var result = ball
        result.center = -ball.center
        return result
    }

    static func - (left: Ball, right: Ball) -> Ball { left + -right }

    package static func * (left: Ball, right: Ball) -> Ball {
        if left.isExactly(1) { return right }
        if right.isExactly(1) { return left }
        if left.isExactly(0) || right.isExactly(0) { return .zero }
        return Ball(
            rounded: left.center * right.center,
            error: abs(left.center) * right.radius + abs(right.center) * left.radius + left.radius
                * right.radius,
            mass: left.mass * right.mass)
    }

    /// 1/x; `nil` when x may be 0.
    package var reciprocal: Ball? {
        let least = abs(center) - radius
        guard least > 0 else { return nil }
        return Ball(rounded: 1 / center, error: radius / (abs(center) * least))
    }

    /// √x; `nil` when x may be 0 or less.
    package var squareRoot: Ball? {
        guard isPositive else { return nil }
        return Ball(rounded: center.squareRoot(), error: radius / center.squareRoot())
    }
}
