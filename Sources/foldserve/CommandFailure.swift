import ArgumentParser
import Execution
import Glibc
import Graph
import HTTPServer
import ModelFormats
import Tensors

/// Why a command ends early, with the exit status that says whose fault it is (sysexits.h).
package struct CommandFailure: Error {
    let message: String
    let exitCode: ExitCode

    static let usageStatus = ExitCode(64)
    static let dataStatus = ExitCode(65)

    /// 64: the command line or the configuration is wrong.
    static func usage(_ message: String) -> CommandFailure {
        CommandFailure(message: message, exitCode: usageStatus)
    }

    /// 65: a model or an input cannot be used.
    static func data(_ message: String) -> CommandFailure {
        CommandFailure(message: message, exitCode: dataStatus)
    }

    /// 70: an error of ours, or of the machine.
    static func software(_ message: String) -> CommandFailure {
        CommandFailure(message: message, exitCode: ExitCode(70))
    }

    /// Runs `body`; its error becomes one line on standard error and an exit status.
    static func reporting(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as ExitCode {
            throw error
        } catch {
            let failure = CommandFailure(error)
            StandardError.writeLine("foldserve: " + failure.message)
            throw failure.exitCode
        }
    }

    private init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case is ModelError, is TensorError, is GraphError, is ExecutionError:
            self = .data(String(describing: error))
        case is ConfigurationError: self = .usage(String(describing: error))
        default: self = .software(String(describing: error))
        }
    }

    private init(message: String, exitCode: ExitCode) {
        self.message = message
        self.exitCode = exitCode
    }
}

/// Standard error, a line at a time.
enum StandardError {
    static func writeLine(_ text: String) {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ") + "\n"
        _ = line.utf8CString.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count - 1) }
    }

    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}
