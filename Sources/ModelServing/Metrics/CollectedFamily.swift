/// Numbers that live elsewhere and are read when someone asks.
package struct CollectedFamily: MetricFamily {
    package typealias Sample = (labels: [(name: String, value: String)], value: Double)

    private let name: String
    private let help: String
    private let type: String
    private let collect: @Sendable () -> [Sample]

    package init(
        name: String, help: String, type: String = "gauge", collect: @escaping @Sendable () -> [Sample]
    ) {
        self.name = name
        self.help = help
        self.type = type
        self.collect = collect
    }

    package func write(to text: inout MetricText) {
        text.header(name: name, help: help, type: type)
        for sample in collect() { text.sample(name, sample.labels, sample.value) }
    }
}
