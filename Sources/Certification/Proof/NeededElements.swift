import Graph

/// Which elements inside a piece its result depends on: behind a Slice, a Split or a Pad some do not count, and may differ.
enum NeededElements {
    /// Which elements of an operator's arguments its needed elements depend on: for each argument that is followed.
    static func inside(
        _ application: Application, _ core: Core, _ needed: [Bool]?
    ) -> [[Bool]?] {
        switch application.passage {
        case .positiveFactors, .clamping: return [needed]
        case .movement, .broadcast:
            // Without an element left out or told apart there is nothing to follow.
            guard let inner = application.forms.first?.core.extents, let outer = core.extents,
                needed != nil || outer.reduce(1, *) < inner.reduce(1, *)
            else { return [] }
            return [MovementMap(application, output: core.extents)?.needed(needed)]
        case .product, .quotient:
            return application.forms.map { $0.core.extents == core.extents ? needed : nil }
        case .padding(let padding):
            guard let needed, let inner = application.forms.first?.core.extents, let outer = core.extents,
                (try? Field.boundedCount(of: inner)) != nil
            else { return [] }
            return [before(needed, outer: outer, inner: inner, padding)]
        case .reduction(let axes, let keepsRank, _):
            guard let needed, let inner = application.forms.first?.core.extents, let outer = core.extents,
                (try? Field.boundedCount(of: inner)) != nil
            else { return [] }
            let kept = keepsRank ? outer : inner.indices.map { axes.contains($0) ? 1 : inner[$0] }
            return [before(needed, outer: kept, inner: inner, reduced: axes)]
        case .concatenation(let axis):
            guard let needed, let outer = core.extents else { return [] }
            let inner = outer[(axis + 1)...].reduce(1, *)
            var first = 0
            return application.forms.map { form in
                guard let length = form.core.extents?[axis] else { return nil }
                defer { first += length }
                return needed.indices.compactMap { index in
                    (first..<first + length).contains(index / inner % outer[axis]) ? needed[index] : nil
                }
            }
        default: return []
        }
    }

    /// The needed elements of a value before it was padded.
    private static func before(
        _ needed: [Bool], outer: [Int], inner: [Int], _ padding: Application.Padding
    ) -> [Bool] {
        // A pad of less than nothing leaves elements out that nobody needs.
        var result = [Bool](repeating: false, count: inner.reduce(1, *))
        for (index, isNeeded) in needed.enumerated() where isNeeded {
            var (rest, source, step, isInside) = (index, 0, 1, true)
            for axis in outer.indices.reversed() {
                let coordinate = rest % outer[axis] - padding.begins[axis]
                rest /= outer[axis]
                isInside = isInside && (0..<inner[axis]).contains(coordinate)
                source += coordinate * step
                step *= inner[axis]
            }
            if isInside { result[source] = true }
        }
        return result
    }

    /// The needed elements of a value before some axes were reduced: whatever its place along those is.
    private static func before(
        _ needed: [Bool], outer: [Int], inner: [Int], reduced axes: [Int]
    ) -> [Bool]? {
        let kept = inner.indices.map { axes.contains($0) ? 1 : inner[$0] }
        guard zip(kept, outer).allSatisfy({ $0 == $1 || $0 == 1 }) else { return nil }
        var flags = [Bool](repeating: false, count: kept.reduce(1, *))
        for (position, isNeeded) in zip(Field.positions(of: kept, in: outer), needed) where isNeeded {
            flags[position] = true
        }
        return Field.positions(of: kept, in: inner).map { flags[$0] }
    }

    /// The rows of a linear map that needed elements depend on; `nil`: all.
    static func rows(of core: Core, along axis: Int, _ needed: [Bool]?) -> [Bool]? {
        guard let needed, let extents = core.extents else { return nil }
        var rows = [Bool](repeating: false, count: extents[axis])
        let inner = extents[(axis + 1)...].reduce(1, *)
        for (index, isNeeded) in needed.enumerated() where isNeeded {
            rows[index / inner % extents[axis]] = true
        }
        return rows
    }
}
