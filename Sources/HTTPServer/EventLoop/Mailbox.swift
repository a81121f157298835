import CLinux
import Glibc
import Threads

/// What other threads tell a loop.
enum LoopMessage: Sendable {
    case response(ExchangeAddress, ServerResponse)
    /// The responder was let go without an answer.
    case unanswered(ExchangeAddress)
    /// A connection that the accepting loop hands over.
    case adopt(descriptor: Int32)
    /// Room for connections again, or nothing left to accept: look at the shared counters.
    case countersChanged
    /// Finish what is under way and end, at `deadline` in any case.
    case drain(deadline: MonotonicTime)
}

/// The way into a loop from any thread: a locked list and an eventfd, written only while the loop sleeps.
final class Mailbox: Sendable {
    let descriptor: Int32

    private struct State {
        var messages: [LoopMessage] = []
        var loopSleeps = false
        var isClosed = false
    }
    private let state = Lock(State())

    init() throws(ServerError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw .systemCall(name: "eventfd", errno: errno) }
    }

    deinit { Glibc.close(descriptor) }

    func post(_ message: LoopMessage) {
        let mustWake = state.withLock { state in
            guard !state.isClosed else { return false }
            state.messages.append(message)
            defer { state.loopSleeps = false }
            return state.loopSleeps
        }
        if mustWake { eventfd_write(descriptor, 1) }
    }

    /// Whether the loop may sleep: from here on a message wakes it.
    func prepareToSleep() -> Bool {
        state.withLock { state in
            state.loopSleeps = state.messages.isEmpty
            return state.loopSleeps
        }
    }

    func takeAll() -> [LoopMessage] {
        state.withLock { state in
            state.loopSleeps = false
            guard !state.messages.isEmpty else { return [] }
            defer { state.messages = [] }
            return state.messages
        }
    }

    func clearWakeUp() {
        var value: eventfd_t = 0
        eventfd_read(descriptor, &value)
    }

    /// The loop has ended: later messages are dropped, those already here are handed out.
    func close() -> [LoopMessage] {
        state.withLock { state in
            state.isClosed = true
            defer { state.messages = [] }
            return state.messages
        }
    }
}
