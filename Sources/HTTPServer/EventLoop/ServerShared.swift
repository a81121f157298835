internal import HTTPTypes
internal import Logging
import Synchronization

/// What the loops of a server share; all of it immutable or atomic.
final class ServerShared: Sendable {
    let limits: Limits
    let handler: any RequestHandler
    let logger: Logger
    let tls: CurrentTLSContext?
    let clock: any Clock
    let bodyBudget: BodyBudget
    let openConnections = Atomic(0)
    let acceptedConnections = Atomic(0)
    /// The acceptor waits for a connection to close.
    let isAcceptorPaused = Atomic(false)
    /// Every connection that will ever be has been handed to its loop.
    let isAcceptingDone = Atomic(false)

    init(
        limits: Limits, handler: any RequestHandler, logger: Logger, tls: CurrentTLSContext?, clock: any Clock
    ) {
        self.limits = limits
        self.handler = handler
        self.logger = logger
        self.tls = tls
        self.clock = clock
        bodyBudget = BodyBudget(limit: limits.maximumBufferedByteCount)
    }
}
