import Synchronization

/// How long things took, by bucket.
package final class Histogram: Sendable {
    /// Upper bounds in seconds, ascending; one more bucket stands for all above.
    package static let boundsSeconds: [Double] = [
        0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    private final class Cell: Sendable {
        let count = Atomic<UInt64>(0)
    }

    private static let boundsNanoseconds = boundsSeconds.map { UInt64($0 * 1e9) }
    private let cells: [Cell]
    private let sumNanoseconds = Atomic<UInt64>(0)

    package init() { cells = (0...Self.boundsSeconds.count).map { _ in Cell() } }

    package func record(nanoseconds: UInt64) {
        let bounds = Self.boundsNanoseconds
        let index = bounds.firstIndex { nanoseconds <= $0 } ?? bounds.count
        cells[index].count.add(1, ordering: .relaxed)
        sumNanoseconds.add(nanoseconds, ordering: .relaxed)
    }

    /// The bucket, sum and count lines; buckets hold all observations up to their bound.
    package func write(
        _ name: String, _ labels: [(name: String, value: String)], to text: inout MetricText
    ) {
        var total: UInt64 = 0
        for (index, cell) in cells.enumerated() {
            total += cell.count.load(ordering: .relaxed)
            let isLast = index == Self.boundsSeconds.count
            let bound = isLast ? "+Inf" : MetricText.number(Self.boundsSeconds[index])
            text.sample(name + "_bucket", labels + [("le", bound)], Double(total))
        }
        text.sample(name + "_sum", labels, Double(sumNanoseconds.load(ordering: .relaxed)) / 1e9)
        text.sample(name + "_count", labels, Double(total))
    }
}
