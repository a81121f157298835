import Glibc
import Testing

/// Runs Tests/Clients: pytest and stock clients against the `foldserve` that was built with these tests.
@Suite struct ClientTests {
    /// Installing what the tests need, and running them.
    private static let timeLimitMinutes = 30
    /// How much of pytest's output an issue quotes.
    private static let quotedLineCount = 200

    @Test(
        .enabled(if: missingTool == nil, "Tests/Clients were NOT run: \(missingTool ?? "")"),
        .timeLimit(.minutes(ClientTests.timeLimitMinutes)))
    func `stock clients get right answers from the binary`() throws {
        let root = try #require(Self.root, "Package.swift is not above the test bundle nor here")
        let foldserve = Self.products + "/foldserve"
        try #require(access(foldserve, X_OK) == 0, "\(foldserve) is not there")
        let python = try Self.environment(root: root)
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

    /// A virtual environment with what Tests/requirements.txt pins; made again when that changes.
    private static func environment(root: String) throws -> String {
        let folder = root + "/.build/test-venv"
        let python = folder + "/bin/python"
        let stamp = folder + "/requirements.txt"
        let requirements = root + "/Tests/requirements.txt"
        guard try Subprocess.run(["cmp", "-s", requirements, stamp]).status != 0 else { return python }
        print("installing Tests/requirements.txt to \(folder)")
        for command in [
            ["python3", "-m", "venv", "--clear", folder],
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements],
            ["cp", requirements, stamp],
        ] {
            let run = try Subprocess.run(command)
            try #require(run.status == 0, "\(command.joined(separator: " ")):\n\(run.output)")
        }
        return python
    }

    /// What the tests cannot do without and this machine has not.
    private static let missingTool: String? = {
        let probe = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
        guard let run = try? Subprocess.run(["python3", "-c", probe]) else {
            return "python3 cannot be started"
        }
        guard run.status != 0 else { return nil }
        return "they need python3 3.11 or newer with its venv module: \(run.output)"
    }()

    /// The folder that holds the test bundle and the executables.
    private static var products: String { folder(of: CommandLine.arguments[0]) }

    /// The nearest folder above the products that holds Package.swift, or the one this runs in.
    private static var root: String? {
        var path = products
        while path.count > 1 {
            if access(path + "/Package.swift", R_OK) == 0 { return path }
            path = folder(of: path)
        }
        return access("Package.swift", R_OK) == 0 ? workingFolder : nil
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return String(path[..<slash])
    }

    private static var workingFolder: String? {
        guard let path = getcwd(nil, 0) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }
}
