import Glibc

/// What came of a read or a write.
enum TransferOutcome {
    case bytes(Int)
    case blocked
    /// The client sends no more.
    case ended
    case failed
}

enum HandshakeOutcome {
    case done(negotiatesHTTP2: Bool)
    case blocked
    case failed(reason: String)
}

/// A non-blocking socket, through TLS where there is a stream for it. Owns EINTR and the descriptor.
struct Transport {
    private let descriptor: Int32
    private let tls: TLSStream?

    init(descriptor: Int32, tls: TLSStream?) {
        self.descriptor = descriptor
        self.tls = tls
    }

    var isEncrypted: Bool { tls != nil }

    func handshake() -> HandshakeOutcome { tls?.handshake() ?? .done(negotiatesHTTP2: false) }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> TransferOutcome {
        tls?.read(into: buffer) ?? readRaw(into: buffer)
    }

    /// The socket's own bytes: for reading away what nobody will look at.
    func readRaw(into buffer: UnsafeMutableRawBufferPointer) -> TransferOutcome {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            // A count of 0 is end of stream; errno means something only after -1.
            if count >= 0 { return count == 0 ? .ended : .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN || errno == EWOULDBLOCK ? .blocked : .failed
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, hasMore: Bool) -> TransferOutcome {
        if let tls { return tls.write(bytes) }
        let flags = Int32(MSG_NOSIGNAL) | (hasMore ? Int32(MSG_MORE) : 0)
        while true {
            let count = send(descriptor, bytes.baseAddress, bytes.count, flags)
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN || errno == EWOULDBLOCK ? .blocked : .failed
        }
    }

    /// Tells the client that no more follows; it may still send.
    func endOutput() {
        tls?.shutdown()
        shutdown(descriptor, Int32(SHUT_WR))
    }

    func close() {
        Glibc.close(descriptor)
    }
}
