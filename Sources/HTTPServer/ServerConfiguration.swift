/// Where the server listens, with how many loops, and what it refuses.
package struct ServerConfiguration: Sendable {
    /// An IPv4 or IPv6 literal, or `localhost`. `::` serves IPv4 too.
    package var host: String
    /// 0 lets the system choose; see `Server.port`.
    package var port: Int
    /// Event loops, each with its own thread.
    package var loopCount: Int
    package var limits: Limits
    /// Nil serves plain text.
    package var tls: TLSConfiguration?

    package init(
        host: String = "0.0.0.0", port: Int = 0, loopCount: Int = 1, limits: Limits = Limits(),
        tls: TLSConfiguration? = nil
    ) {
        self.host = host
        self.port = port
        self.loopCount = loopCount
        self.limits = limits
        self.tls = tls
    }
}

/// The certificate chain and the private key, both PEM files.
package struct TLSConfiguration: Sendable {
    package var certificatePath: String
    package var keyPath: String

    package init(certificatePath: String, keyPath: String) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
    }
}
