import Foundation
import TestSupport
import Testing

/// The ONNX project's own tests, by the evaluation and by the plan.
@Suite struct ConformanceTests {
    /// Runs only the tests whose name contains it, or that have this operator, and tells how each ended.
    private static let filterVariable = "FOLDSERVE_CONFORMANCE"
    private static let timeLimitMinutes = 20
    /// What must pass of the newest tests within scope, in percent.
    private static let leastPercentage = 90
    private static let markers = (start: "<!-- conformance -->\n", end: "<!-- /conformance -->")

    @Test(.timeLimit(.minutes(ConformanceTests.timeLimitMinutes)))
    func `every test passes or is refused by name`() throws {
        let root = try #require(TestPackage.root, "Package.swift is not above the test bundle nor here")
        let all = try ConformanceCatalog.load(root: root)
        if let filter = ProcessInfo.processInfo.environment[Self.filterVariable] {
            let chosen = all.filter { $0.name.contains(filter) || $0.operators.contains(filter) }
            try #require(
                !chosen.isEmpty, "no test's name contains '\(filter)', and none has such an operator")
            _ = run(chosen, isVerbose: true, root: root)
        } else {
            try checkAll(all, root: root)
        }
    }

    private func checkAll(_ all: [ConformanceCase], root: String) throws {
        let report = run(all, isVerbose: false, root: root)
        try report.json().write(to: URL(filePath: root + "/.build/conformance.json"))
        try Data(report.markdown.utf8).write(to: URL(filePath: root + "/.build/conformance.md"))
        let scope = report.scope
        print("conformance: \(scope.passed) of \(scope.total) of the newest tests within scope")
        #expect(scope.passed * 100 >= scope.total * Self.leastPercentage)
        // A debug build leaves the networks out, so that its table is not whole.
        #if !DEBUG
            let readme = try String(contentsOfFile: root + "/README.md", encoding: .utf8)
            #expect(
                Self.table(in: readme) == report.markdown,
                "README.md has other figures: run python3 Tests/ConformanceTests/update_readme.py")
        #endif
    }

    /// What stands between the markers.
    private static func table(in readme: String) -> String? {
        guard let start = readme.firstRange(of: markers.start) else { return nil }
        let rest = readme[start.upperBound...]
        guard let end = rest.firstRange(of: markers.end) else { return nil }
        return String(rest[..<end.lowerBound])
    }

    private func run(_ cases: [ConformanceCase], isVerbose: Bool, root: String) -> ConformanceReport {
        let runner = ConformanceRunner()
        // When a test ends the process, the last line of this file names it.
        let log = fopen(root + "/.build/conformance.log", "w")
        defer { if let log { fclose(log) } }
        var results: [ConformanceResult] = []
        for item in cases where isVerbose || Self.isQuick(item) {
            if let log {
                fputs("\(item.set): \(item.name)\n", log)
                fflush(log)
            }
            let result = runner.run(item)
            results.append(result)
            if isVerbose { print("\(item.set): \(item.name): \(result.outcome) \(result.message)") }
            if case .failed(let reason) = result.outcome {
                Issue.record("\(item.set): \(item.name): \(reason)")
            }
        }
        let report = ConformanceReport(results: results)
        print(report.summaryLines.joined(separator: "\n"))
        return report
    }

    /// Whole networks take minutes without optimisation.
    private static func isQuick(_ item: ConformanceCase) -> Bool {
        #if DEBUG
            return item.set != "onnx light"
        #else
            return true
        #endif
    }
}
