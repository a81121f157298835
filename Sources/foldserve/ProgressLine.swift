import Glibc
import Threads

/// One line on standard error that says what takes long: it appears after a second, only where a person would see it, and
/// goes when the work is done.
final class ProgressLine: Sendable {
    private struct State {
        var text: String
        /// When the work that is shown began; `nil` while nothing is shown.
        var start: ContinuousClock.Instant?
        var isDrawn = false
        var isEnded = false
    }

    private let state: Lock<State>
    private let isTerminal: Bool

    private static let delay = Duration.seconds(1)
    private static let intervalMicroseconds: UInt32 = 100_000

    /// Begins with `text`.
    init(_ text: String) {
        isTerminal = isatty(STDERR_FILENO) == 1
        state = Lock(State(text: text, start: ContinuousClock.now))
        guard isTerminal else { return }
        let state = state
        // It ends with its owner, or with the process.
        _ = Thread(name: "progress") {
            while state.withLock({ !$0.isEnded }) {
                usleep(Self.intervalMicroseconds)
                state.withLock { Self.draw(&$0) }
            }
        }
    }

    deinit {
        state.withLock { state in
            Self.clear(&state)
            state.isEnded = true
        }
    }

    /// Says what is being done now.
    func show(_ text: String) {
        guard isTerminal else { return }
        state.withLock { state in
            state.text = text
            if state.start == nil { state.start = ContinuousClock.now }
        }
    }

    /// Clears the line until something is shown again.
    func pause() {
        guard isTerminal else { return }
        state.withLock { Self.clear(&$0) }
    }

    private static func draw(_ state: inout State) {
        guard let start = state.start, ContinuousClock.now - start >= delay else { return }
        state.isDrawn = true
        write("\r\u{1b}[K" + state.text)
    }

    private static func clear(_ state: inout State) {
        if state.isDrawn { write("\r\u{1b}[K") }
        state.isDrawn = false
        state.start = nil
    }

    private static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }
}
