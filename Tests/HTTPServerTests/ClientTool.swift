import Foundation

/// A program of the system, run as another party of the protocol.
struct ClientTool: Sendable {
    let path: String

    /// Nil where it is not installed; the tests that need it say so when they are skipped.
    init?(_ name: String) {
        let directories = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
        guard
            let path = directories.map({ "\($0)/\(name)" }).first(where: {
                FileManager.default.isExecutableFile(atPath: $0)
            })
        else { return nil }
        self.path = path
    }

    static let curl = ClientTool("curl")
    static let h2load = ClientTool("h2load")
    static let openssl = ClientTool("openssl")

    struct Result {
        let status: Int32
        let bytes: [UInt8]
        let errors: String
        var output: String { String(decoding: bytes, as: UTF8.self) }
    }

    enum Failure: Error { case spawn(Int32) }

    /// Runs to the end. Not with Foundation's Process, which can miss the end of one of several side by side.
    func run(_ arguments: [String], input: [UInt8] = []) throws -> Result {
        // Files: a pipe that nobody empties would stop the program.
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let names = ["in", "out", "err"].map { directory.appending(path: $0) }
        try Data(input).write(to: names[0])

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, names[0].path, O_RDONLY, 0)
        for stream in 1...2 {
            posix_spawn_file_actions_addopen(
                &actions, Int32(stream), names[stream].path, O_WRONLY | O_CREAT, 0o600)
        }
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var identifier = pid_t()
        let code = posix_spawn(&identifier, path, &actions, nil, &words, environ)
        guard code == 0 else { throw Failure.spawn(code) }
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        return Result(
            // WEXITSTATUS; a program that a signal ended has 0 there and the signal below.
            status: status & 0x7f == 0 ? status >> 8 & 0xff : -1,
            bytes: Array(try Data(contentsOf: names[1])),
            errors: String(decoding: try Data(contentsOf: names[2]), as: UTF8.self))
    }
}
