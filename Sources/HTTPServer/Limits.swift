/// Every bound that the server puts on its clients.
package struct Limits: Sendable {
    /// The field lines of a request, line ends included (HTTP/2: names and values); past it 431.
    package var maximumHeaderByteCount = 16 << 10
    /// Field lines of a request; past it 431.
    package var maximumHeaderCount = 100
    /// The request target; past it 414.
    package var maximumTargetByteCount = 8 << 10
    /// The body without its framing; past it 413, from the content-length alone where there is one.
    package var maximumBodyByteCount = 64 << 20
    /// Bodies being received, in the whole server; past it 503. Bounds memory when many clients send at once.
    package var maximumBufferedByteCount = 1 << 30
    /// Extensions of all chunks of a body together; past it 400.
    package var maximumChunkExtensionByteCount = 4 << 10
    /// Open connections; past it new ones wait in the kernel's backlog.
    package var maximumConnections = 1024
    /// Open streams of an HTTP/2 connection.
    package var maximumConcurrentStreams = 100
    /// HTTP/1.1 requests of a connection that have no answer yet; past it the connection is not read.
    package var maximumPipelinedRequests = 16
    /// Unsent answer bytes of a connection; past it the connection is not read.
    package var maximumQueuedOutputByteCount = 1 << 20
    /// HTTP/2 streams that may fail or be reset at once, and how many more each second; past it the connection ends.
    package var streamResetBurst = 200
    package var streamResetsPerSecond = 33

    /// From the first byte of a head to its last; past it 408.
    package var headerTimeoutSeconds = 10.0
    /// From the end of the head to the first bytes of the body, and from some to the next; past it 408.
    package var bodyTimeoutSeconds = 60.0
    /// In all, a body has the time above and as much more as its bytes take at this rate; past it 408.
    package var minimumBodyBytesPerSecond = 16 << 10
    /// Without a request; past it the connection is closed.
    package var idleTimeoutSeconds = 75.0
    /// From the connection's start to the end of the TLS handshake.
    package var handshakeTimeoutSeconds = 10.0
    /// A client that takes no byte of its answer for so long is cut off.
    package var writeTimeoutSeconds = 30.0
    /// After the last answer, until the client has closed its side too.
    package var lingerTimeoutSeconds = 2.0
    /// At shutdown: how long a connection without a request may still send one that is under way.
    package var drainGraceSeconds = 0.5

    package init() {}

    /// By when more of a body must come that has begun to at `start` and of which some bytes are here `now`.
    func bodyDeadline(start: MonotonicTime, byteCount: Int, now: MonotonicTime) -> MonotonicTime {
        let earned = Double(byteCount) / Double(minimumBodyBytesPerSecond)
        return min(now + bodyTimeoutSeconds, start + (bodyTimeoutSeconds + earned))
    }
}

extension Limits {
    /// Refuses bounds under which nothing could be served.
    func check() throws(ServerError) {
        let counts: [(String, Int, ClosedRange<Int>)] = [
            ("maximumHeaderByteCount", maximumHeaderByteCount, 64...1 << 24),
            // HTTPFields holds less than 65,535.
            ("maximumHeaderCount", maximumHeaderCount, 1...60_000),
            ("maximumTargetByteCount", maximumTargetByteCount, 1...1 << 24),
            ("maximumBodyByteCount", maximumBodyByteCount, 0...1 << 40),
            ("maximumBufferedByteCount", maximumBufferedByteCount, 1...1 << 50),
            ("maximumChunkExtensionByteCount", maximumChunkExtensionByteCount, 0...1 << 24),
            ("maximumConnections", maximumConnections, 1...1 << 24),
            ("maximumConcurrentStreams", maximumConcurrentStreams, 1...1 << 20),
            ("maximumPipelinedRequests", maximumPipelinedRequests, 1...1 << 16),
            ("maximumQueuedOutputByteCount", maximumQueuedOutputByteCount, 1...1 << 30),
            ("streamResetBurst", streamResetBurst, 1...1 << 24),
            ("streamResetsPerSecond", streamResetsPerSecond, 0...1 << 24),
            ("minimumBodyBytesPerSecond", minimumBodyBytesPerSecond, 1...1 << 30),
        ]
        for (name, value, range) in counts where !range.contains(value) {
            throw .invalidLimit(name: name, value: "\(value)")
        }
        let seconds = [
            ("headerTimeoutSeconds", headerTimeoutSeconds), ("bodyTimeoutSeconds", bodyTimeoutSeconds),
            ("idleTimeoutSeconds", idleTimeoutSeconds), ("handshakeTimeoutSeconds", handshakeTimeoutSeconds),
            ("writeTimeoutSeconds", writeTimeoutSeconds), ("lingerTimeoutSeconds", lingerTimeoutSeconds),
            ("drainGraceSeconds", drainGraceSeconds),
        ]
        for (name, value) in seconds where !(value >= 0) {
            throw .invalidLimit(name: name, value: "\(value)")
        }
    }
}
