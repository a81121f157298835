/// Fields of values that are put together, taken apart and reduced.
extension Field {
    /// The parts of this field for values of these extents that stand one behind the other along `axis`; `nil` when an
    /// extent is not known.
    func split(axis: Int, as extents: [[Int]?]) -> [Field]? {
        var pieces: [Field] = []
        var first = 0
        for piece in extents {
            guard let length = piece?[axis] else { return nil }
            pieces.append(self.extents[axis] == 1 ? self : slice(axis: axis, first..<first + length))
            first += length
        }
        return self.extents[axis] == 1 || self.extents[axis] == first ? pieces : nil
    }

    private func slice(axis: Int, _ range: Range<Int>) -> Field {
        let inner = extents[(axis + 1)...].reduce(1, *)
        var sliced = extents
        sliced[axis] = range.count
        let kept = balls.indices.filter { range.contains($0 / inner % extents[axis]) }
        return Field(extents: sliced, balls: kept.map { balls[$0] })
    }

    /// Fields of values with these extents, one behind the other; `nil` when all are absent, which stands for `neutral`.
    static func concatenating(
        _ fields: [Field?], neutral: Ball, axis: Int, extents: [[Int]?]
    ) throws(Obstacle) -> Field? {
        guard fields.contains(where: { $0 != nil }) else { return nil }
        var target: [Int] = []
        for field in fields {
            guard let field else { continue }
            if target.isEmpty { target = field.extents }
            for index in target.indices { target[index] = max(target[index], field.extents[index]) }
        }
        target[axis] = 0
        for piece in extents {
            guard let piece else { throw Obstacle("a part of a concatenation has no known shape") }
            target[axis] += piece[axis]
        }
        let outer = target[..<axis].reduce(1, *)
        _ = try boundedCount(of: target)
        var parts: [[Ball]] = []
        for (field, piece) in zip(fields, extents) {
            var own = target
            own[axis] = piece?[axis] ?? 0
            let source = field ?? Field(uniform: neutral, rank: target.count)
            parts.append(source.positions(in: own).map { source.balls[$0] })
        }
        var balls: [Ball] = []
        for index in 0..<outer {
            for part in parts {
                let row = part.count / max(1, outer)
                balls += part[index * row..<(index + 1) * row]
            }
        }
        return Field(compressing: balls, extents: target)
    }

    /// One number for each position along these axes of a value with these extents.
    func spread(along axes: [Int], of target: [Int]) throws(Obstacle) -> Field {
        var grown = extents
        for axis in axes { grown[axis] = target[axis] }
        _ = try Self.boundedCount(of: grown)
        return Field(extents: grown, balls: positions(in: grown).map { balls[$0] })
    }

    /// The numbers at the first position of these axes.
    func first(along axes: [Int]) -> Field {
        var kept = extents
        for axis in axes { kept[axis] = 1 }
        let positions = Field.positions(of: kept, in: extents)
        var numbers = [Ball?](repeating: nil, count: kept.reduce(1, *))
        for (index, position) in positions.enumerated() where numbers[position] == nil {
            numbers[position] = balls[index]
        }
        return Field(extents: kept, balls: numbers.compactMap { $0 })
    }

    /// With axes of extent 1 where a reduction has taken axes away.
    func inserting(axes: [Int], rank: Int) -> Field? {
        guard self.rank + axes.count == rank else { return nil }
        var (result, rest) = ([Int](), extents[...])
        for axis in 0..<rank { result.append(axes.contains(axis) ? 1 : rest.removeFirst()) }
        return Field(extents: result, balls: balls)
    }

    /// Without axes that a reduction takes away; the field is the same along them.
    func removing(axes: [Int]) -> Field {
        Field(extents: extents.indices.filter { !axes.contains($0) }.map { extents[$0] }, balls: balls)
    }
}
