/// The exchanges of an HTTP/1 connection: requests as the parser finds them, answers in the order of the requests.
final class HTTP1Connection: ApplicationProtocol {
    private struct Pending {
        let isHead: Bool
        let version: HTTPVersion
        var exchange: Exchange?
        var response: ServerResponse?
    }

    /// Whom the connection waits for. The number is the request's: the next one has a time of its own.
    private enum Awaited: Equatable {
        case idle
        case head(Int)
        case body(Int)
        /// An answer, or room in the pipeline: no fault of the client.
        case server
    }

    private let context: ConnectionContext
    private var parser: HTTP1Parser
    /// Bytes that the parser has not consumed.
    private var leftover: [UInt8] = []
    /// Requests without a written answer, in order; the first has the number `firstNumber`.
    private var pending: [Pending] = []
    private var firstNumber = 0
    /// No request is read any more: the last pending answer closes the connection.
    private var isClosing = false
    private var hasInputEnded = false
    private var isDraining = false
    private var owesContinue = false
    private var chargedByteCount = 0
    private var awaited = Awaited.idle
    private var bodyStart = MonotonicTime.never
    private(set) var deadline: MonotonicTime

    init(context: ConnectionContext, now: MonotonicTime) {
        self.context = context
        parser = HTTP1Parser(limits: context.limits, scheme: context.scheme)
        deadline = now + context.limits.idleTimeoutSeconds
    }

    var wantsInput: Bool { !isClosing && !hasInputEnded && !isPaused && !hasHeldBytes }

    /// Those that wait for an answer before them need no turn.
    var holdsRequests: Bool { hasHeldBytes && !isPaused }

    func turnEnded() { answeredInTurn = 0 }

    var isFinished: Bool { pending.isEmpty && (isClosing || hasInputEnded && !hasHeldBytes) }

    func receive(_ bytes: UnsafeBufferPointer<UInt8>, now: MonotonicTime) {
        if leftover.isEmpty {
            let consumed = parse(bytes)
            if !isClosing { leftover.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[consumed...])) }
        } else {
            leftover.append(contentsOf: bytes)
            parseLeftover()
        }
        updateDeadline(now)
        if case .body = awaited {
            deadline = context.limits.bodyDeadline(
                start: bodyStart, byteCount: parser.bufferedByteCount, now: now)
        }
    }

    func inputEnded() { hasInputEnded = true }

    func complete(exchange number: Int, with response: ServerResponse?, now: MonotonicTime) {
        let index = number - firstNumber
        guard pending.indices.contains(index), pending[index].response == nil else { return }
        pending[index].response = normalized(response)
    }

    func produce(into output: inout OutputQueue, now: MonotonicTime) {
        let before = firstNumber
        var hasParsed = false
        while true {
            writeAnswers(into: &output)
            if owesContinue, pending.isEmpty {
                owesContinue = false
                output.append(HTTP1ResponseWriter.continueLine)
            }
            // Answers make room for requests that were held back.
            guard holdsRequests, canParse, output.byteCount < context.limits.maximumQueuedOutputByteCount
            else { break }
            hasParsed = true
            parseLeftover()
        }
        if hasParsed || firstNumber != before { updateDeadline(now) }
    }

    /// RFC 9110 §15.2: a client passes over interim answers that it did not expect; HTTP/1.0 has none.
    func appendProbe(to output: inout OutputQueue, now: MonotonicTime) {
        guard let next = pending.first, next.response == nil, next.version != .http1_0 else { return }
        output.append(HTTP1ResponseWriter.continueLine)
    }

    func drain(now: MonotonicTime) {
        isDraining = true
        updateDeadline(now, restarts: true)
    }

    func deadlineReached(now: MonotonicTime) {
        switch awaited {
        case .head: refuse(.headerTimeout)
        case .body: refuse(.bodyTimeout)
        case .idle: isClosing = true
        case .server: break
        }
        leftover = []
        updateDeadline(now)
    }

    func abandon() {
        for entry in pending { entry.exchange?.abandon() }
        pending.removeAll()
        context.bodyBudget.release(chargedByteCount)
        chargedByteCount = 0
    }

    // MARK: - Requests

    private var isPaused: Bool { pending.count >= context.limits.maximumPipelinedRequests }
    private var canParse: Bool {
        !isClosing && !isPaused && answeredInTurn < context.limits.maximumPipelinedRequests
    }
    /// Reading stopped before the bytes were read to their end.
    private var isHeld = false
    private var hasHeldBytes: Bool { isHeld && !isClosing && !leftover.isEmpty }
    /// Requests that were answered at once; the others take their turns by themselves.
    private var answeredInTurn = 0

    private func parseLeftover() {
        var bytes: [UInt8] = []
        swap(&bytes, &leftover)
        let consumed = bytes.withUnsafeBufferPointer { parse($0) }
        guard !isClosing else { return }
        bytes.removeFirst(consumed)
        leftover = bytes
    }

    /// Reads requests until bytes or room run out; returns how many bytes were consumed.
    private func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var consumed = 0
        do throws(RequestRefusal) {
            while canParse {
                switch try parser.parse(bytes, consumed: &consumed) {
                case .needsMoreBytes:
                    isHeld = false
                    try chargeBody()
                    if parser.bufferedByteCount > 0 { owesContinue = false }
                    return consumed
                case .head(let request, let version, let expectsContinue):
                    if let response = context.handler.earlyResponse(to: request, version: version) {
                        answerLast(response, isHead: request.method == .head)
                    } else {
                        // RFC 9110 §10.1.1: not needed where the body is already on its way.
                        owesContinue = expectsContinue && consumed == bytes.count
                    }
                case .request(let request):
                    accept(request)
                }
            }
            isHeld = consumed < bytes.count
        } catch {
            refuse(error)
        }
        return consumed
    }

    private func accept(_ request: HTTP1Request) {
        owesContinue = false
        context.bodyBudget.release(chargedByteCount)
        chargedByteCount = 0
        isClosing = !request.keepsAlive
        var entry = Pending(
            isHead: request.request.request.method == .head, version: request.request.version, exchange: nil,
            response: nil)
        switch context.dispatch(request.request, exchange: firstNumber + pending.count) {
        case .answered(let response):
            entry.response = normalized(response)
            answeredInTurn += 1
        case .awaited(let exchange): entry.exchange = exchange
        }
        pending.append(entry)
    }

    private func chargeBody() throws(RequestRefusal) {
        guard context.bodyBudget.charge(parser.bufferedByteCount - chargedByteCount) else {
            throw .overloaded
        }
        chargedByteCount = parser.bufferedByteCount
    }

    private func refuse(_ refusal: RequestRefusal) {
        context.logger.debug("refused a request", metadata: ["reason": "\(refusal)"])
        answerLast(context.refusalResponse(refusal), isHead: false)
    }

    /// Answers a request that is not read to its end, and reads no other: where one would begin is not known.
    private func answerLast(_ response: ServerResponse, isHead: Bool) {
        isClosing = true
        owesContinue = false
        context.bodyBudget.release(chargedByteCount)
        chargedByteCount = 0
        pending.append(
            Pending(isHead: isHead, version: .http1_1, exchange: nil, response: normalized(response)))
    }

    // MARK: - Answers

    private func writeAnswers(into output: inout OutputQueue) {
        var written = 0
        while written < pending.count, let response = pending[written].response {
            write(response, for: pending[written], isLast: written + 1 == pending.count, into: &output)
            written += 1
        }
        guard written > 0 else { return }
        pending.removeFirst(written)
        firstNumber += written
    }

    private func write(
        _ response: ServerResponse, for entry: Pending, isLast: Bool, into output: inout OutputQueue
    ) {
        // A request under way is owed its answer: only an answer with nothing behind it ends the connection.
        if isLast, isDraining || hasInputEnded, leftover.isEmpty, parser.waitsFor == .nothing {
            isClosing = true
        }
        let persistence: HTTP1ResponseWriter.Persistence =
            isClosing && isLast ? .close : entry.version == .http1_0 ? .keepAlive : .implied
        output.gather {
            HTTP1ResponseWriter.writeHead(
                of: response, persistence: persistence, date: context.date.text, to: &$0)
        }
        if !entry.isHead, response.mayHaveBody { output.append(response.body) }
    }

    /// A handler's 1xx or impossible status would break the framing; it is an error of ours.
    private func normalized(_ response: ServerResponse?) -> ServerResponse {
        if let response, (200...599).contains(response.status.code) { return response }
        return context.unansweredResponse()
    }

    // MARK: - Time

    /// Starts the clock of whom the connection waits for now, where that has changed.
    private func updateDeadline(_ now: MonotonicTime, restarts: Bool = false) {
        let number = firstNumber + pending.count
        let current: Awaited =
            switch parser.waitsFor {
            case _ where isClosing || isPaused || isHeld: .server
            case .body: .body(number)
            case .head: .head(number)
            case .nothing where !leftover.isEmpty: .head(number)
            case .nothing: pending.isEmpty ? .idle : .server
            }
        guard restarts || current != awaited else { return }
        awaited = current
        switch current {
        case .head: deadline = now + context.limits.headerTimeoutSeconds
        case .body:
            bodyStart = now
            deadline = now + context.limits.bodyTimeoutSeconds
        case .idle where isDraining: deadline = now + context.limits.drainGraceSeconds
        case .idle: deadline = now + context.limits.idleTimeoutSeconds
        case .server: deadline = .never
        }
    }
}
