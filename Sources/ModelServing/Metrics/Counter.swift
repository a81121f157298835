import Synchronization

/// A number that only grows.
package final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    package init() {}

    package func increment() { count.add(1, ordering: .relaxed) }

    package var value: UInt64 { count.load(ordering: .relaxed) }
}

/// A number that goes up and down.
package final class Gauge: MetricFamily {
    private let name: String
    private let help: String
    private let current = Atomic<Int>(0)

    package init(name: String, help: String) {
        self.name = name
        self.help = help
    }

    package func add(_ difference: Int) { current.add(difference, ordering: .relaxed) }

    package var value: Int { current.load(ordering: .relaxed) }

    package func write(to text: inout MetricText) {
        text.header(name: name, help: help, type: "gauge")
        text.sample(name, [], Double(value))
    }
}
