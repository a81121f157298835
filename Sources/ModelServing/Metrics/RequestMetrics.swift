import Threads

/// Requests by endpoint, model and status, and how long they took.
///
/// The hot path looks up counters by small integers: no string is made, nothing is allocated but once per new key.
package final class RequestMetrics: MetricFamily {
    private struct Key: Hashable {
        let endpoint: Int
        /// -1 for requests that name no model of the repository.
        let model: Int
        let status: Int

        /// One number is hashed faster than three; they are all small.
        func hash(into hasher: inout Hasher) { hasher.combine((endpoint << 20 ^ model) << 10 ^ status) }
    }

    /// What a request is counted in. The histogram is that of the endpoint and model, whatever the status.
    private struct Series {
        let count: Counter
        let duration: Histogram
    }

    private struct Tables {
        var series: [Key: Series] = [:]
        var durations: [Key: Histogram] = [:]
        /// What the request before was counted in: what is polled comes again and again.
        private var latest: (key: Key, series: Series)?

        mutating func series(_ key: Key) -> Series {
            if let latest, latest.key == key { return latest.series }
            let found = find(key)
            latest = (key, found)
            return found
        }

        private mutating func find(_ key: Key) -> Series {
            if let known = series[key] { return known }
            let timed = Key(endpoint: key.endpoint, model: key.model, status: 0)
            let made = Series(count: Counter(), duration: durations[timed] ?? Histogram())
            durations[timed] = made.duration
            series[key] = made
            return made
        }
    }

    package let inFlight = Gauge(
        name: "foldserve_requests_in_flight", help: "Requests that have no answer yet.")
    /// Numbers of what requests are counted by: endpoints and procedures.
    package let endpointNames: NameIndex
    private let modelNames: NameIndex
    private let tables = Lock(Tables())

    /// Requests name endpoints and models by their numbers.
    package init(endpointNames: NameIndex = NameIndex(), modelNames: NameIndex) {
        self.endpointNames = endpointNames
        self.modelNames = modelNames
    }

    /// Counts an answered request. Endpoint and model are `nil` where the request met none.
    package func record(endpoint: Int?, model: Int?, status: Int, nanoseconds: UInt64) {
        let key = Key(endpoint: endpoint ?? -1, model: model ?? -1, status: status)
        let series = tables.withLock { $0.series(key) }
        series.count.increment()
        series.duration.record(nanoseconds)
    }

    package func write(to text: inout MetricText) {
        let (all, durations) = tables.withLock { ($0.series, $0.durations) }
        let (modelNames, endpointNames) = (modelNames.names, endpointNames.names)
        let total = "foldserve_requests_total"
        text.header(name: total, help: "Requests by model, endpoint and status.", type: "counter")
        for (key, series) in all.sorted(by: { Self.precedes($0.key, $1.key) }) {
            text.sample(
                total, labels(key, endpointNames, modelNames) + [("status", String(key.status))],
                Double(series.count.value))
        }
        let duration = "foldserve_request_duration_seconds"
        text.header(
            name: duration, help: "From the request's last byte to its answer.", type: "histogram")
        for (key, histogram) in durations.sorted(by: { Self.precedes($0.key, $1.key) }) {
            histogram.write(duration, labels(key, endpointNames, modelNames), to: &text)
        }
        inFlight.write(to: &text)
    }

    private static func precedes(_ left: Key, _ right: Key) -> Bool {
        (left.endpoint, left.model, left.status) < (right.endpoint, right.model, right.status)
    }

    private func labels(
        _ key: Key, _ endpointNames: [String], _ modelNames: [String]
    ) -> [(name: String, value: String)] {
        let model = modelNames.indices.contains(key.model) ? modelNames[key.model] : ""
        let endpoint = endpointNames.indices.contains(key.endpoint) ? endpointNames[key.endpoint] : "none"
        return [("model", model), ("endpoint", endpoint)]
    }
}
