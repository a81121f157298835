internal import HTTPTypes
import Synchronization

/// The one answer owed to a request. Let go without an answer, it sends 500: no client is left hanging.
package final class Responder: Sendable {
    private let mailbox: Mailbox
    private let address: ExchangeAddress
    private let exchange: Exchange
    private let hasResponded = Atomic(false)

    init(mailbox: Mailbox, address: ExchangeAddress, exchange: Exchange) {
        self.mailbox = mailbox
        self.address = address
        self.exchange = exchange
    }

    deinit {
        if !hasResponded.load(ordering: .acquiring) { mailbox.post(.unanswered(address)) }
    }

    /// Sends the answer. From any thread; calls after the first do nothing.
    package func respond(_ response: ServerResponse) {
        guard !hasResponded.exchange(true, ordering: .acquiringAndReleasing) else { return }
        mailbox.post(.response(address, response))
    }

    /// Whether the client has gone or given up this request: its answer would reach nobody.
    package var isClientGone: Bool { exchange.isClientGone.load(ordering: .acquiring) }
}

/// What the connection tells the holder of the responder.
final class Exchange: Sendable {
    let isClientGone = Atomic(false)

    func abandon() { isClientGone.store(true, ordering: .releasing) }
}

/// Names a request of a connection for as long as the loop lives; a later connection never has the same.
struct ExchangeAddress: Sendable {
    let connection: Registration
    /// HTTP/1.1: the request's number on its connection; HTTP/2: its stream.
    let exchange: Int
}
