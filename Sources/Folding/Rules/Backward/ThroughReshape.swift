import Graph

/// Takes an affine through an operator that gives the same elements in the same order other axes.
///
/// Channel c of the element at position p is ⌊p/inner⌋ mod C, with inner the elements behind the channel axis. An axis of
/// the input will do when all elements with one coordinate there have the same scale and shift: the flattened rows
/// [N, C·H·W] of a convolution, when they agree over each H·W; the merged [1, N·C, …], when they agree over N.
/// Extents that are not known cancel when they stand behind the channel axis on both sides.
/// Source: ONNX Reshape-14, Flatten-13, Squeeze-13, Unsqueeze-13.
struct ThroughReshape: BackwardStep {
    let name = "batchnorm-through-reshape"
    let types = ["Reshape", "Flatten", "Squeeze", "Unsqueeze"]
    let rearranges = true

    /// The most blocks of elements of one channel that are compared.
    static let maximumBlockCount = 1 << 20

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        guard let after = site.output?.dimensions, let before = site.input(0)?.dimensions,
            site.affine.axis < after.count
        else { throw site.refusal("the shapes around \(site.node.type) are not known") }
        if !site.affine.isUniform, let moved = Self.moved(site.affine, after, before) {
            try plan.pass(moved, at: site)
        } else {
            try plan.pass(try site.affine(onAxis: nil), at: site)
        }
    }

    /// The affine on the first axis of `before` that will do.
    static func moved(_ affine: Affine, _ after: [Dimension], _ before: [Dimension]) -> Affine? {
        guard let inner = Extent(after[(affine.axis + 1)...]) else { return nil }
        let total = Extent(before[...])
        for axis in before.indices {
            guard let count = before[axis].value, count > 0, let behind = Extent(before[(axis + 1)...]),
                behind.symbols == inner.symbols
            else { continue }
            // Without symbols in front there is an end.
            let end = total.flatMap { $0.symbols == inner.symbols ? $0.known : nil }
            let places = Self.places(
                affine, inner: inner.known, count: count, behind: behind.known, end: end ?? .max)
            if let places {
                return Affine(
                    scale: places.map { affine.scale[$0] }, shift: places.map { affine.shift[$0] }, axis: axis
                )
            }
        }
        return nil
    }

    /// For each coordinate of an axis with `count` of them and `behind` elements behind each the channel that all its
    /// elements are like.
    private static func places(
        _ affine: Affine, inner: Int, count: Int, behind: Int, end: Int
    ) -> [Int]? {
        let block = greatestCommonDivisor(inner, behind)
        let (period, isTooLong) = inner.multipliedReportingOverflow(by: affine.scale.count)
        let (axisPeriod, isAxisTooLong) = behind.multipliedReportingOverflow(by: count)
        guard !isTooLong, !isAxisTooLong, block > 0 else { return nil }
        let shared = greatestCommonDivisor(period, axisPeriod)
        let (common, overflow) = (period / shared).multipliedReportingOverflow(by: axisPeriod)
        let length = overflow ? end : min(common, end)
        guard length / block <= maximumBlockCount, length >= axisPeriod else { return nil }
        var places = [Int](repeating: -1, count: count)
        for position in stride(from: 0, to: length, by: block) {
            let channel = position / inner % affine.scale.count
            let coordinate = position / behind % count
            let place = places[coordinate]
            if place < 0 {
                places[coordinate] = channel
            } else if affine.scale[place] != affine.scale[channel]
                || affine.shift[place] != affine.shift[channel]
            {
                return nil
            }
        }
        return places
    }

    private static func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
        var (a, b) = (first, second)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }

    /// How many elements some axes have together; symbols count as themselves.
    private struct Extent {
        private(set) var known = 1
        private(set) var symbols: [String] = []

        /// `nil` when an extent is not known at all, or none, or too many.
        init?(_ dimensions: ArraySlice<Dimension>) {
            for dimension in dimensions {
                switch dimension {
                case .known(let value):
                    let (product, overflow) = known.multipliedReportingOverflow(by: value)
                    guard !overflow, value > 0 else { return nil }
                    known = product
                case .symbol(let name): symbols.append(name)
                case .unknown: return nil
                }
            }
            symbols.sort()
        }
    }
}
