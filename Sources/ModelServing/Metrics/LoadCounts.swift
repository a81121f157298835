import Threads

/// How often models were loaded, and how often that failed.
package final class LoadCounts: MetricFamily {
    private struct Key: Hashable {
        let model: Int
        let isSuccess: Bool
    }

    private let names: NameIndex
    private let counts = Lock<[Key: UInt64]>([:])

    init(names: NameIndex) { self.names = names }

    func record(model: Int?, isSuccess: Bool) {
        counts.withLock { $0[Key(model: model ?? -1, isSuccess: isSuccess), default: 0] += 1 }
    }

    package func write(to text: inout MetricText) {
        let (counts, names) = (counts.withLock { $0 }, names.names)
        let total = "foldserve_model_loads_total"
        text.header(name: total, help: "Versions that were loaded, or refused.", type: "counter")
        for (key, count) in counts.sorted(by: {
            ($0.key.model, $0.key.isSuccess ? 1 : 0) < ($1.key.model, $1.key.isSuccess ? 1 : 0)
        }) {
            let model = names.indices.contains(key.model) ? names[key.model] : ""
            text.sample(
                total, [("model", model), ("outcome", key.isSuccess ? "ready" : "refused")], Double(count))
        }
    }
}
