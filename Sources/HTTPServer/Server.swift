package import Logging
import Glibc
import Threads

/// An HTTP server: HTTP/1.1 and HTTP/2 on one port, plain or with TLS.
package final class Server: Sendable {
    /// The port it listens on, chosen by the system where 0 was asked for.
    package let port: Int

    private let shared: ServerShared
    private let loops: [EventLoop]
    private let listener: Listener
    private let state = Lock(State.idle)

    private enum State {
        case idle
        case running([Thread])
        case stopping
        case stopped
    }

    /// More loops than this serve nobody faster.
    package static let maximumLoopCount = 256

    /// Binds and listens: connections wait in the backlog until `start`.
    package convenience init(
        configuration: ServerConfiguration, handler: any RequestHandler, logger: Logger
    ) throws(ServerError) {
        try self.init(configuration: configuration, handler: handler, logger: logger, clock: SystemClock())
    }

    init(
        configuration: ServerConfiguration, handler: any RequestHandler, logger: Logger, clock: any Clock
    ) throws(ServerError) {
        guard (1...Self.maximumLoopCount).contains(configuration.loopCount) else {
            throw .invalidLoopCount(configuration.loopCount)
        }
        try configuration.limits.check()
        let tls: CurrentTLSContext? =
            if let paths = configuration.tls { try CurrentTLSContext(paths) } else { nil }
        shared = ServerShared(
            limits: configuration.limits, handler: handler, logger: logger, tls: tls, clock: clock)
        var loops: [EventLoop] = []
        for _ in 0..<configuration.loopCount { loops.append(try EventLoop(shared: shared)) }
        listener = try Listener(host: configuration.host, port: configuration.port)
        port = listener.port
        self.loops = loops
        loops[0].becomeAcceptor(of: listener, for: loops.map(\.mailbox))
        for loop in loops { loop.pausedAcceptor = loops[0].mailbox }
    }

    deinit {
        // Running loops hold what they need themselves; an unstarted listener is ours to close.
        if case .idle = state.withLock({ $0 }) { close(listener.descriptor) }
    }

    /// Begins to serve. Call once.
    package func start() {
        state.withLock { state in
            guard case .idle = state else { return }
            state = .running(
                loops.enumerated().map { index, loop in Thread(name: "http-\(index)") { loop.run() } })
        }
    }

    /// Reads the certificate and the key again, for the connections that come; those that are open keep theirs.
    ///
    /// Throws for a pair that cannot be used, and keeps the one before.
    package func reloadCertificate() throws(ServerError) { try shared.tls?.reload() }

    /// Stops accepting and answers what has been received in full or in part, connections in the backlog included;
    /// returns when all are closed or the time is up. Blocks: not for a loop thread. A second caller waits too.
    package func shutdown(drainTimeoutSeconds: Double) {
        let threads: [Thread]? = state.wait { state in
            switch state {
            case .idle:
                state = .stopped
                close(listener.descriptor)
                return []
            case .running(let threads):
                state = .stopping
                return threads
            case .stopping: return nil
            case .stopped: return []
            }
        }
        guard let threads, !threads.isEmpty else { return }
        let deadline = shared.clock.now() + drainTimeoutSeconds
        for loop in loops { loop.mailbox.post(.drain(deadline: deadline)) }
        for thread in threads { thread.join() }
        state.withLock { $0 = .stopped }
        state.notifyAll()
    }

    /// A snapshot, cheap enough for every scrape.
    package var statistics: ServerStatistics {
        ServerStatistics(
            openConnections: max(0, shared.openConnections.load(ordering: .relaxed)),
            acceptedConnections: shared.acceptedConnections.load(ordering: .relaxed))
    }
}

package struct ServerStatistics: Sendable, Equatable {
    package let openConnections: Int
    /// Since the start.
    package let acceptedConnections: Int
}
