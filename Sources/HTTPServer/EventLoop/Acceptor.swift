import CLinux
import Glibc

/// Accepts connections and hands them to the loops in turn; lives in the first loop, confined to its thread.
final class Acceptor {
    private let listener: Listener
    private let shared: ServerShared
    private let mailboxes: [Mailbox]
    private var nextLoop = 0
    private let registration: Registration
    private var isRegistered = false
    private var isDraining = false
    private var isClosed = false
    /// When to look at the backlog again: after running out of descriptors, or at the end of a drain's grace.
    private(set) var deadline = MonotonicTime.never

    /// Connections accepted in a turn.
    private static let maximumAcceptsPerTurn = 64
    /// Out of descriptors: how long until the next attempt.
    private static let exhaustionPauseSeconds = 0.05
    /// Long enough for handshakes under way to reach the backlog.
    private static let backlogGraceSeconds = 0.1

    init(listener: Listener, registration: Registration, shared: ServerShared, mailboxes: [Mailbox]) {
        self.listener = listener
        self.registration = registration
        self.shared = shared
        self.mailboxes = mailboxes
    }

    /// Accepts what waits, as far as there is room. Call on a listener event, when room came, and at the deadline.
    func acceptConnections(_ epoll: borrowing Epoll, now: MonotonicTime) {
        guard !isClosed else { return }
        let isGraceOver = isDraining && deadline <= now
        if deadline <= now { deadline = .never }
        var remaining = isGraceOver ? Int(Listener.backlogCount) : Self.maximumAcceptsPerTurn
        while remaining > 0 {
            // The backlog of a server that stops is taken in any case: nobody else will answer it.
            guard isDraining || hasRoom else { return pause(epoll) }
            let descriptor = clinux_accept_nonblocking(listener.descriptor)
            if descriptor >= 0 {
                remaining -= 1
                handOver(descriptor)
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                if isGraceOver { return close() }
                break
            } else if errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM {
                shared.logger.warning("out of file descriptors; new connections wait")
                unregister(epoll)
                deadline = now + Self.exhaustionPauseSeconds
                return
            }
            // EINTR, ECONNABORTED and the network errors of accept(2) concern one connection that is gone already.
        }
        register(epoll)
        if isDraining, deadline == .never { deadline = now }
    }

    /// Takes no new connection and empties the backlog; `isAcceptingDone` tells when that is over.
    func drain(_ epoll: borrowing Epoll, now: MonotonicTime) {
        guard !isClosed, !isDraining else { return }
        isDraining = true
        shared.isAcceptorPaused.store(false, ordering: .relaxed)
        if clinux_stop_new_connections(listener.descriptor) != 0 {
            shared.logger.warning(
                "cannot stop new connections before closing", metadata: ["errno": "\(errno)"])
        }
        deadline = now + Self.backlogGraceSeconds
        acceptConnections(epoll, now: now)
    }

    /// Closes the listener, whatever waits in it.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        deadline = .never
        Glibc.close(listener.descriptor)
        shared.isAcceptingDone.store(true, ordering: .releasing)
        for mailbox in mailboxes { mailbox.post(.countersChanged) }
    }

    private var hasRoom: Bool {
        shared.openConnections.load(ordering: .relaxed) < shared.limits.maximumConnections
    }

    private func handOver(_ descriptor: Int32) {
        shared.openConnections.add(1, ordering: .relaxed)
        shared.acceptedConnections.add(1, ordering: .relaxed)
        mailboxes[nextLoop].post(.adopt(descriptor: descriptor))
        nextLoop = (nextLoop + 1) % mailboxes.count
    }

    private func pause(_ epoll: borrowing Epoll) {
        unregister(epoll)
        shared.isAcceptorPaused.store(true, ordering: .sequentiallyConsistent)
        // A connection that closed just before saw no pause to end.
        if hasRoom, shared.isAcceptorPaused.exchange(false, ordering: .sequentiallyConsistent) {
            mailboxes[0].post(.countersChanged)
        }
    }

    private func register(_ epoll: borrowing Epoll) {
        guard !isRegistered else { return }
        isRegistered = epoll.add(registration, .readable) == 0
    }

    private func unregister(_ epoll: borrowing Epoll) {
        guard isRegistered else { return }
        epoll.remove(registration)
        isRegistered = false
    }
}
