import Glibc

/// Runs another program to its end.
package struct Subprocess {
    /// The exit status, or minus the number of the signal that ended it.
    package let status: Int32
    /// Standard output and standard error, in the order they were written.
    package let output: String

    package struct SystemCallFailure: Error, CustomStringConvertible {
        package let call: String
        package let error: Int32

        package var description: String { "\(call): \(String(cString: strerror(error)))" }
    }

    /// Runs `command`, its first element looked up in PATH, with `variables` added to this process's environment.
    package static func run(_ command: [String], variables: [String: String] = [:]) throws -> Subprocess {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemCallFailure(call: "pipe", error: errno) }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)

        var arguments = cStrings(command)
        var environment = cStrings(environment(with: variables))
        defer { for text in arguments + environment { free(text) } }
        var process: pid_t = 0
        let error = posix_spawnp(&process, command[0], &actions, nil, &arguments, &environment)
        close(ends[1])
        guard error == 0 else { throw SystemCallFailure(call: command[0], error: error) }

        let output = readAll(ends[0])
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { throw SystemCallFailure(call: "waitpid", error: errno) }
        }
        // WIFEXITED, WEXITSTATUS and WTERMSIG are macros that Swift does not import.
        let signal = status & 0x7f
        return Subprocess(status: signal == 0 ? (status >> 8) & 0xff : -signal, output: output)
    }

    /// Copies to be freed, and the null pointer that ends a list in C.
    private static func cStrings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        texts.map { strdup($0) } + [nil]
    }

    private static func readAll(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count > 0 {
                bytes += piece[..<count]
            } else if count == 0 || errno != EINTR {
                return String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    private static func environment(with variables: [String: String]) -> [String] {
        var result: [String] = []
        var entry = environ
        while let text = entry.pointee {
            let text = String(cString: text)
            if !variables.keys.contains(where: { text.hasPrefix($0 + "=") }) { result.append(text) }
            entry += 1
        }
        return result + variables.map { "\($0.key)=\($0.value)" }
    }
}
