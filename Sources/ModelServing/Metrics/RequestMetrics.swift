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
    }

    private struct Tables {
        var counts: [Key: Counter] = [:]
        var durations: [Key: Histogram] = [:]
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
        let timed = Key(endpoint: endpoint ?? -1, model: model ?? -1, status: 0)
        let (counter, histogram) = tables.withLock { tables in
            let counter = tables.counts[key] ?? Counter()
            tables.counts[key] = counter
            let histogram = tables.durations[timed] ?? Histogram()
            tables.durations[timed] = histogram
            return (counter, histogram)
        }
        counter.increment()
        histogram.record(nanoseconds)
    }

    package func write(to text: inout MetricText) {
        let (counts, durations) = tables.withLock { ($0.counts, $0.durations) }
        let (modelNames, endpointNames) = (modelNames.names, endpointNames.names)
        let total = "foldserve_requests_total"
        text.header(name: total, help: "Requests by model, endpoint and status.", type: "counter")
        for (key, counter) in counts.sorted(by: { Self.precedes($0.key, $1.key) }) {
            text.sample(
                total, labels(key, endpointNames, modelNames) + [("status", String(key.status))],
                Double(counter.value))
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
