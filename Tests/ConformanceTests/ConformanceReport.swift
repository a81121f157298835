import Foundation

/// What a run of the whole suite says: counts by set, and why tests were refused.
struct ConformanceReport {
    let results: [ConformanceResult]

    /// What every runtime with ONNX's operators passes, of the newest tests.
    static let scopedSet = "onnx node"
    private static let scopeTitle = "— of these: NumPy's types, opset 7 to 26, inference"

    struct Counts: Encodable {
        var total = 0
        var passed = 0
        var refused = 0
        var failed = 0

        mutating func add(_ outcome: ConformanceOutcome) {
            total += 1
            switch outcome {
            case .passed: passed += 1
            case .refused: refused += 1
            case .failed: failed += 1
            }
        }
    }

    /// The sets in the order in which they ran.
    var sets: [String] {
        var names: [String] = []
        for result in results where !names.contains(result.item.set) { names.append(result.item.set) }
        return names
    }

    func counts(where isCounted: (ConformanceCase) -> Bool) -> Counts {
        results.filter { isCounted($0.item) }.reduce(into: Counts()) { $0.add($1.outcome) }
    }

    /// The newest tests that a runtime with all of ONNX's operators has to pass.
    var scope: Counts { counts { $0.set == Self.scopedSet && $0.isInScope } }

    var summaryLines: [String] {
        sets.map { set in
            let counts = counts { $0.set == set }
            return
                "conformance: \(set): \(counts.passed) passed, \(counts.refused) refused by name, \(counts.failed) failed"
        }
    }

    /// The README's table and list.
    var markdown: String {
        var lines = ["| Tests | | Passed | Refused by name | Failed |", "|---|--:|--:|--:|--:|"]
        for set in sets {
            lines.append(Self.row(set, counts { $0.set == set }))
            if set == Self.scopedSet { lines.append(Self.row(Self.scopeTitle, scope)) }
        }
        lines += [
            "", "Refused: " + reasonCounts.map { "\($0.reason) ×\($0.count)" }.joined(separator: ", ") + ".",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private static func row(_ title: String, _ counts: Counts) -> String {
        "| \(title) | \(counts.total) | \(counts.passed) | \(counts.refused) | \(counts.failed) |"
    }

    /// Why tests were refused, the most frequent first; a test that lacks two operators counts for both.
    private var reasonCounts: [(reason: String, count: Int)] {
        var counts: [String: Int] = [:]
        for case .refused(let reasons) in results.map(\.outcome) {
            for reason in reasons { counts[reason, default: 0] += 1 }
        }
        return counts.map { (reason: $0.key, count: $0.value) }
            .sorted { ($1.count, $0.reason) < ($0.count, $1.reason) }
    }

    /// Every test by name, and the counts.
    func json() throws -> Data {
        struct Line: Encodable {
            let set, name, outcome, message: String
        }
        struct Document: Encodable {
            let counts: [String: Counts]
            let tests: [Line]
        }
        let lines = results.map { result in
            let (outcome, message) =
                switch result.outcome {
                case .passed: ("passed", "")
                case .refused: ("refused", result.message)
                case .failed(let reason): ("failed", reason)
                }
            return Line(set: result.item.set, name: result.item.name, outcome: outcome, message: message)
        }
        var counts: [String: Counts] = [:]
        for set in sets { counts[set] = self.counts { $0.set == set } }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(Document(counts: counts, tests: lines))
    }
}
