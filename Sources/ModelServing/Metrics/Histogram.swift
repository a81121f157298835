import Synchronization

/// How many observations fell into each bucket.
package final class Histogram: Sendable {
    /// Upper bounds, ascending; one more bucket stands for all above.
    package struct Bounds: Sendable {
        fileprivate let limits: [UInt64]
        fileprivate let texts: [String]
        /// What is observed in one unit of what is told.
        fileprivate let unit: Double

        /// Observed in nanoseconds, told in seconds.
        package static let seconds = Bounds(
            [
                0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025,
                0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
            ], unit: 1e9)
        /// Items in a run.
        package static let items = Bounds([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024], unit: 1)

        private init(_ bounds: [Double], unit: Double) {
            limits = bounds.map { UInt64(($0 * unit).rounded()) }
            texts = bounds.map(MetricText.number)
            self.unit = unit
        }
    }

    private final class Cell: Sendable {
        let count = Atomic<UInt64>(0)
    }

    private let bounds: Bounds
    private let cells: [Cell]
    private let sum = Atomic<UInt64>(0)

    package init(_ bounds: Bounds = .seconds) {
        self.bounds = bounds
        cells = (0...bounds.limits.count).map { _ in Cell() }
    }

    package func record(_ value: UInt64) {
        let index = bounds.limits.firstIndex { value <= $0 } ?? bounds.limits.count
        cells[index].count.add(1, ordering: .relaxed)
        sum.add(value, ordering: .relaxed)
    }

    /// The bucket, sum and count lines; buckets hold all observations up to their bound.
    package func write(
        _ name: String, _ labels: [(name: String, value: String)], to text: inout MetricText
    ) {
        var total: UInt64 = 0
        for (index, cell) in cells.enumerated() {
            total += cell.count.load(ordering: .relaxed)
            let bound = index < bounds.texts.count ? bounds.texts[index] : "+Inf"
            text.sample(name + "_bucket", labels + [("le", bound)], Double(total))
        }
        text.sample(name + "_sum", labels, Double(sum.load(ordering: .relaxed)) / bounds.unit)
        text.sample(name + "_count", labels, Double(total))
    }
}
