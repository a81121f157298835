import COpenSSL
import Threads

/// The certificate, the key and the rules of every TLS connection: TLS 1.2 and 1.3, forward secret AEAD suites alone.
final class TLSContext: @unchecked Sendable {
    // OpenSSL counts references to a context with atomics; it is not changed after init.
    private let context: OpaquePointer

    /// TLS 1.2; those of 1.3 are all AEAD.
    private static let cipherList = "ECDHE+AESGCM:ECDHE+CHACHA20"

    init(_ configuration: TLSConfiguration) throws(ServerError) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw .tls(reason: OpenSSLErrors.take()) }
        self.context = context
        guard copenssl_set_minimum_version(context) == 1,
            SSL_CTX_set_cipher_list(context, Self.cipherList) == 1
        else { throw .tls(reason: OpenSSLErrors.take()) }
        copenssl_set_modes(context)
        copenssl_set_options(context)
        // Tickets resume sessions without memory of ours.
        copenssl_disable_session_cache(context)
        copenssl_set_read_ahead(context)

        guard SSL_CTX_use_certificate_chain_file(context, configuration.certificatePath) == 1 else {
            throw .unusableCertificate(path: configuration.certificatePath, reason: OpenSSLErrors.take())
        }
        guard SSL_CTX_use_PrivateKey_file(context, configuration.keyPath, SSL_FILETYPE_PEM) == 1 else {
            if OpenSSLErrors.lastIsMismatch {
                throw .keyDoesNotMatchCertificate(
                    keyPath: configuration.keyPath, certificatePath: configuration.certificatePath)
            }
            throw .unusableKey(path: configuration.keyPath, reason: OpenSSLErrors.take())
        }
        guard SSL_CTX_check_private_key(context) == 1 else {
            throw .keyDoesNotMatchCertificate(
                keyPath: configuration.keyPath, certificatePath: configuration.certificatePath)
        }
        SSL_CTX_set_alpn_select_cb(
            context,
            { _, selected, selectedCount, offered, offeredCount, _ in
                TLSContext.selectProtocol(selected, selectedCount, offered, offeredCount)
            }, nil)
    }

    deinit { SSL_CTX_free(context) }

    /// Nil when OpenSSL has no memory.
    func makeStream(descriptor: Int32) -> TLSStream? { TLSStream(context: context, descriptor: descriptor) }

    /// RFC 7301 §3.2: the server picks of the client's list; h2 before http/1.1.
    private static func selectProtocol(
        _ selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
        _ selectedCount: UnsafeMutablePointer<UInt8>?,
        _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32
    ) -> Int32 {
        guard let offered, let selected, let selectedCount else { return SSL_TLSEXT_ERR_NOACK }
        for wanted in ["h2", "http/1.1"] {
            var offset = 0
            while offset < Int(offeredCount) {
                let count = Int(offered[offset])
                guard offset + 1 + count <= Int(offeredCount) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                let name = UnsafeBufferPointer(start: offered + offset + 1, count: count)
                if name.elementsEqual(wanted.utf8) {
                    selected.pointee = name.baseAddress
                    selectedCount.pointee = UInt8(count)
                    return SSL_TLSEXT_ERR_OK
                }
                offset += 1 + count
            }
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
}

/// The context of new connections, which can be replaced; those that are open keep the one that they began with.
final class CurrentTLSContext: Sendable {
    private let paths: TLSConfiguration
    private let context: Lock<TLSContext>

    init(_ paths: TLSConfiguration) throws(ServerError) {
        self.paths = paths
        context = Lock(try TLSContext(paths))
    }

    /// Reads certificate and key again; a pair that cannot be used changes nothing.
    func reload() throws(ServerError) {
        let renewed = try TLSContext(paths)
        context.withLock { $0 = renewed }
    }

    func makeStream(descriptor: Int32) -> TLSStream? {
        context.withLock { $0 }.makeStream(descriptor: descriptor)
    }
}

/// The calling thread's queue of OpenSSL errors, as text.
enum OpenSSLErrors {
    /// The first error, which names the cause, and empties the queue.
    static func take() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return "unknown reason" }
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
    }

    static var lastIsMismatch: Bool {
        let reason = ERR_peek_last_error() & 0x7f_ffff
        return reason == UInt(X509_R_KEY_VALUES_MISMATCH) || reason == UInt(X509_R_KEY_TYPE_MISMATCH)
    }
}
