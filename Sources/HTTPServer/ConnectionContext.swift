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

    enum Dispatched {
        case answered(ServerResponse)
        /// The answer comes by the mailbox. The protocol abandons the exchange if the client leaves.
        case awaited(Exchange)
    }

    /// Hands a request to the handler.
    func dispatch(_ request: ServerRequest, exchange number: Int) -> Dispatched {
        var exchange: Exchange?
        let response = handler.handle(request) {
            let made = Exchange()
            exchange = made
            let address = ExchangeAddress(connection: registration, exchange: number)
            return Responder(mailbox: mailbox, address: address, exchange: made)
        }
        if let exchange {
            precondition(response == nil, "a request has two answers")
            return .awaited(exchange)
        }
        return .answered(
            response ?? unansweredResponse(requestContentType: request.request.headerFields[.contentType]))
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
