import Graph
import Tensors

/// Numbers for the elements of a value: as many extents as the value has axes, each the value's own, or 1 where the
/// numbers are the same along the axis.
struct Field: Sendable, Equatable {
    let extents: [Int]
    let balls: [Ball]

    /// The most numbers of one field.
    static let maximumCount = 1 << 22

    /// Traps when there are not as many numbers as the extents say.
    init(extents: [Int], balls: [Ball]) {
        precondition(extents.reduce(1, *) == balls.count, "a number for each element")
        self.extents = extents
        self.balls = balls
    }

    /// One number for each position along `axis`.
    init(_ balls: [Ball], axis: Int, rank: Int) {
        var extents = [Int](repeating: 1, count: rank)
        extents[axis] = balls.count
        self.init(extents: extents, balls: balls)
    }

    init(uniform ball: Ball, rank: Int) {
        self.init(extents: [Int](repeating: 1, count: rank), balls: [ball])
    }

    /// A constant that broadcasts to a value of `rank` axes; `nil` for more axes, for other than floating elements, for
    /// none, for too many and for what is not finite.
    init?(_ tensor: Tensor, rank: Int) {
        guard tensor.shape.rank <= rank, tensor.elementType.isFloatingPoint,
            (1...Self.maximumCount).contains(tensor.shape.count),
            let values = ExactTensor(tensor).reals, values.allSatisfy(\.isFinite)
        else { return nil }
        let missing = [Int](repeating: 1, count: rank - tensor.shape.rank)
        self.init(extents: missing + tensor.shape.dimensions, balls: values.map(Ball.init))
    }

    var rank: Int { extents.count }
    var isFinite: Bool { balls.allSatisfy(\.isFinite) }
    var isNonnegative: Bool { balls.allSatisfy { $0.isPositive || $0.isExactly(0) } }
    func isExactly(_ value: Double) -> Bool { balls.allSatisfy { $0.isExactly(value) } }

    /// Whether the numbers are the same along every one of these axes.
    func isUniform(along axes: some Sequence<Int>) -> Bool { axes.allSatisfy { extents[$0] == 1 } }

    /// The numbers for the `count` positions along `axis`; `nil` when they differ along another axis too.
    func along(_ axis: Int, count: Int) -> [Ball]? {
        guard isUniform(along: extents.indices.filter { $0 != axis }) else { return nil }
        if extents[axis] == count { return balls }
        return extents[axis] == 1 ? [Ball](repeating: balls[0], count: count) : nil
    }

    func map(_ transform: (Ball) throws(Obstacle) -> Ball) throws(Obstacle) -> Field {
        var result: [Ball] = []
        result.reserveCapacity(balls.count)
        for ball in balls { result.append(try transform(ball)) }
        return Field(extents: extents, balls: result)
    }

    /// Both broadcast to each other.
    ///
    /// Throws an `Obstacle` for extents that do not fit and for more numbers than a field may have.
    func combined(_ other: Field, _ operation: (Ball, Ball) -> Ball) throws(Obstacle) -> Field {
        if extents == other.extents {
            return Field(extents: extents, balls: zip(balls, other.balls).map { operation($0, $1) })
        }
        let target = try Self.broadcast(extents, other.extents)
        let (left, right) = (positions(in: target), other.positions(in: target))
        return Field(
            extents: target, balls: left.indices.map { operation(balls[left[$0]], other.balls[right[$0]]) })
    }

    static func * (left: Field, right: Field) throws(Obstacle) -> Field { try left.combined(right, *) }
    static func + (left: Field, right: Field) throws(Obstacle) -> Field { try left.combined(right, +) }

    /// For each element of a value with these extents the position of its number.
    func positions(in target: [Int]) -> [Int] { Self.positions(of: extents, in: target) }

    static func positions(of extents: [Int], in target: [Int]) -> [Int] {
        var steps = [Int](repeating: 0, count: extents.count)
        var step = 1
        for axis in extents.indices.reversed() {
            steps[axis] = extents[axis] == 1 ? 0 : step
            step *= extents[axis]
        }
        var result = [0]
        for axis in target.indices {
            var next: [Int] = []
            next.reserveCapacity(result.count * target[axis])
            for start in result {
                for index in 0..<target[axis] { next.append(start + index * steps[axis]) }
            }
            result = next
        }
        return result
    }

    /// One number for each element of a value with these extents, as a field with the fewest extents; `nil` stands for
    /// any number, for 1 where all are.
    init(compressing numbers: [Ball?], extents: [Int]) {
        var (numbers, current) = (numbers, extents)
        for axis in extents.indices where current[axis] > 1 {
            let inner = current[(axis + 1)...].reduce(1, *)
            let length = current[axis]
            var merged = [Ball?](repeating: nil, count: numbers.count / length)
            let isUniform = numbers.indices.allSatisfy { index in
                guard let number = numbers[index] else { return true }
                let position = index / (inner * length) * inner + index % inner
                defer { merged[position] = number }
                return merged[position].map { $0 == number } ?? true
            }
            guard isUniform else { continue }
            numbers = merged
            current[axis] = 1
        }
        self.init(extents: current, balls: numbers.map { $0 ?? .one })
    }

    /// The same numbers with the fewest extents.
    var compressed: Field { Field(compressing: balls.map(Optional.some), extents: extents) }

    /// With `number` at the added positions of a padded value, which has these extents; along axes where the field is the
    /// same it stays so.
    func padded(
        _ padding: Application.Padding, _ number: Ball, to target: [Int]
    ) throws(Obstacle) -> Field {
        var grown = extents
        for axis in padding.axes where extents[axis] != 1 { grown[axis] = target[axis] }
        var result = [Ball](repeating: number, count: try Self.boundedCount(of: grown))
        for index in result.indices {
            var (rest, source, step) = (index, 0, 1)
            var isInside = true
            for axis in grown.indices.reversed() {
                var coordinate = rest % grown[axis]
                rest /= grown[axis]
                if extents[axis] != 1 { coordinate -= padding.begins[axis] }
                isInside = isInside && (0..<extents[axis]).contains(coordinate)
                source += coordinate * step
                step *= extents[axis]
            }
            if isInside { result[index] = balls[source] }
        }
        return Field(extents: grown, balls: result)
    }

    /// Without the added positions of a padded value, which had these extents; what a negative pad has taken away gets 1.
    func cropped(_ padding: Application.Padding, to inner: [Int]) throws(Obstacle) -> Field {
        var undone = padding
        undone.begins = padding.begins.map { -$0 }
        undone.ends = padding.ends.map { -$0 }
        return try padded(undone, .one, to: inner)
    }

    /// With axes of extent 1 in front.
    func extended(toRank rank: Int) -> Field {
        Field(extents: [Int](repeating: 1, count: max(0, rank - self.rank)) + extents, balls: balls)
    }

    static func broadcast(_ left: [Int], _ right: [Int]) throws(Obstacle) -> [Int] {
        guard left.count == right.count else { throw Obstacle("constants of different ranks meet") }
        var result: [Int] = []
        for (one, other) in zip(left, right) {
            guard one == other || one == 1 || other == 1 else {
                throw Obstacle("constants of extents \(left) and \(right) meet")
            }
            result.append(one == 1 ? other : one)
        }
        _ = try boundedCount(of: result)
        return result
    }

    /// How many numbers a field of these extents has. Throws an `Obstacle` for more than a field may have.
    static func boundedCount(of extents: [Int]) throws(Obstacle) -> Int {
        var count = 1
        for extent in extents {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= maximumCount else {
                throw Obstacle("a constant would have more than \(maximumCount) elements")
            }
            count = product
        }
        return count
    }
}
