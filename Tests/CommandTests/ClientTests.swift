import Glibc
import TestSupport
import Testing

/// Runs Tests/Clients: pytest and stock clients against the `foldserve` that was built with these tests.
@Suite struct ClientTests {
    /// Installing what the tests need, and running them.
    private static let timeLimitMinutes = 30
    /// How much of pytest's output an issue quotes.
    private static let quotedLineCount = 200

    @Test(
        .enabled(
            if: PythonEnvironment.missingTool == nil,
            "Tests/Clients were NOT run: \(PythonEnvironment.missingTool ?? "")"),
        .timeLimit(.minutes(ClientTests.timeLimitMinutes)))
    func `stock clients get right answers from the binary`() throws {
        let root = try #require(TestPackage.root, "Package.swift is not above the test bundle nor here")
        let foldserve = TestPackage.products + "/foldserve"
        try #require(access(foldserve, X_OK) == 0, "\(foldserve) is not there")
        let python = try PythonEnvironment.python(root: root)
        let run = try Subprocess.run(
            [python, "-m", "pytest", root + "/Tests/Clients", "-q", "-rs", "--color=no"],
            variables: ["FOLDSERVE": foldserve, "PYTHONDONTWRITEBYTECODE": "1"])
        let lines = run.output.split(separator: "\n")
        if run.status == 0 {
            // What was skipped and why, and the counts.
            let summary = lines.drop { !$0.contains("short test summary") && !$0.contains(" passed") }
            print(summary.joined(separator: "\n"))
        } else {
            Issue.record("\(lines.suffix(Self.quotedLineCount).joined(separator: "\n"))")
        }
    }
}
