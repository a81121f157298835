/// HTTP/1 or HTTP/2 on one connection: bytes in, bytes out, no sockets. Confined to its loop's thread.
protocol ApplicationProtocol: AnyObject {
    /// Whether more bytes may be brought; they stay in the kernel otherwise.
    var wantsInput: Bool { get }

    /// Whether requests that were received wait for another turn, so that no client keeps the loop from the others.
    var holdsRequests: Bool { get }

    /// The other connections get their turns.
    func turnEnded()

    /// Takes bytes of the client, all of them.
    func receive(_ bytes: UnsafeBufferPointer<UInt8>, now: MonotonicTime)

    /// The client will send no more; it may still read.
    func inputEnded()

    /// The answer to an exchange, or nil where its responder was let go without one.
    func complete(exchange: Int, with response: ServerResponse?, now: MonotonicTime)

    /// Appends what can be sent; called again when that is written.
    func produce(into output: inout OutputQueue, now: MonotonicTime)

    /// Appends what a client that waits for an answer takes no notice of, if there is such a client and such a thing.
    func appendProbe(to output: inout OutputQueue, now: MonotonicTime)

    /// Nothing more will be read or produced: close once the output is written.
    var isFinished: Bool { get }

    /// The server is stopping: finish what is under way, begin nothing after a grace.
    func drain(now: MonotonicTime)

    /// When `deadlineReached` must be called if nothing happens before; it may find nothing to do.
    var deadline: MonotonicTime { get }

    func deadlineReached(now: MonotonicTime)

    /// The connection is gone: tells the holders of responders.
    func abandon()
}
