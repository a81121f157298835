import COpenSSL

/// TLS over one non-blocking socket. Confined to its loop's thread.
///
/// OpenSSL reads and writes the socket itself (`SSL_set_fd`): faster than memory buffers in between. Every call is
/// preceded by ERR_clear_error: SSL_get_error looks at the thread's queue, where another connection may have left one.
final class TLSStream {
    private let ssl: OpaquePointer
    private var isHandshakeDone = false
    private var hasFailed = false

    init?(context: OpaquePointer, descriptor: Int32) {
        guard let ssl = SSL_new(context) else { return nil }
        self.ssl = ssl
        guard SSL_set_fd(ssl, descriptor) == 1 else {
            SSL_free(ssl)
            return nil
        }
        SSL_set_accept_state(ssl)
    }

    deinit { SSL_free(ssl) }

    func handshake() -> HandshakeOutcome {
        ERR_clear_error()
        let status = SSL_do_handshake(ssl)
        if status == 1 {
            isHandshakeDone = true
            return .done(negotiatesHTTP2: negotiatedProtocolIsHTTP2)
        }
        switch SSL_get_error(ssl, status) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .blocked
        default:
            hasFailed = true
            return .failed(reason: OpenSSLErrors.take())
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> TransferOutcome {
        ERR_clear_error()
        var count = 0
        let status = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
        return status == 1 ? .bytes(count) : outcome(of: status)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> TransferOutcome {
        ERR_clear_error()
        var count = 0
        let status = SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count)
        return status == 1 ? .bytes(count) : outcome(of: status)
    }

    /// Sends close_notify, as far as the socket takes it: the connection ends in any case.
    func shutdown() {
        // After a fatal error, or before the handshake is done, SSL_shutdown must not be called.
        guard isHandshakeDone, !hasFailed else { return }
        ERR_clear_error()
        _ = SSL_shutdown(ssl)
    }

    private func outcome(of status: Int32) -> TransferOutcome {
        switch SSL_get_error(ssl, status) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .blocked
        case SSL_ERROR_ZERO_RETURN: return .ended
        default:
            hasFailed = true
            return .failed
        }
    }

    private var negotiatedProtocolIsHTTP2: Bool {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &count)
        return UnsafeBufferPointer(start: name, count: Int(count)).elementsEqual("h2".utf8)
    }
}
