internal import HTTPTypes
internal import Logging

/// What an `ApplicationProtocol` needs of the loop and the server around it.
struct ConnectionContext {
    let registration: Registration
    let scheme: String
    let limits: Limits
    let handler: any RequestHandler
    let mailbox: Mailbox
    let bodyBudget: BodyBudget
    let date: DateCache
    let logger: Logger

    /// Hands a request to the handler. The exchange is abandoned by the protocol if the client leaves.
    func dispatch(_ request: ServerRequest, exchange number: Int) -> Exchange {
        let exchange = Exchange()
        let address = ExchangeAddress(connection: registration, exchange: number)
        handler.handle(request, responder: Responder(mailbox: mailbox, address: address, exchange: exchange))
        return exchange
    }

    func refusalResponse(
        _ refusal: RequestRefusal, requestContentType: String? = nil
    ) -> ServerResponse {
        handler.errorResponse(
            status: refusal.status, message: refusal.description, requestContentType: requestContentType)
    }

    func unansweredResponse(requestContentType: String? = nil) -> ServerResponse {
        handler.errorResponse(
            status: .internalServerError, message: "the request was dropped without an answer",
            requestContentType: requestContentType)
    }
}
