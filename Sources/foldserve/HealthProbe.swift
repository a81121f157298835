import COpenSSL
import Glibc

/// Asks a server whether it is ready: one HTTP/1.1 request over a blocking socket.
package struct HealthProbe: CustomStringConvertible {
    enum Failure: Error, CustomStringConvertible {
        case systemCall(String, errno: Int32)
        case resolve(String)
        case handshake
        case noStatus

        var description: String {
            switch self {
            case .systemCall(let name, let errno): "\(name): \(String(cString: strerror(errno)))"
            case .resolve(let reason): reason
            case .handshake: "the TLS handshake failed"
            case .noStatus: "no HTTP answer"
            }
        }
    }

    let host: String
    let port: Int
    let isSecure: Bool

    init(host: String, port: Int, isSecure: Bool) {
        self.host = host
        self.port = port
        self.isSecure = isSecure
    }

    /// `http://HOST[:PORT]` or `https://…`; a path is not needed and not allowed.
    package init(url: String) throws {
        let isSecure = url.hasPrefix("https://")
        guard isSecure || url.hasPrefix("http://") else {
            throw CommandFailure.usage("--url '\(url)': expected http://HOST:PORT or https://HOST:PORT")
        }
        var authority = url.dropFirst(isSecure ? 8 : 7)
        if authority.hasSuffix("/") { authority.removeLast() }
        var port = isSecure ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(number)
            else { throw CommandFailure.usage("--url '\(url)': the port is no number from 1 to 65535") }
            port = number
            authority = authority[..<colon]
        }
        if authority.hasPrefix("["), authority.hasSuffix("]") { authority = authority.dropFirst().dropLast() }
        guard !authority.isEmpty, !authority.contains("/") else {
            throw CommandFailure.usage("--url '\(url)': expected a host and no path")
        }
        self.init(host: String(authority), port: port, isSecure: isSecure)
    }

    /// Where a server that listens on `host` is reached from its own machine.
    static func loopback(for host: String) -> String {
        switch host {
        case "0.0.0.0", "localhost": "127.0.0.1"
        case "::": "::1"
        default: host
        }
    }

    package var description: String {
        "\(isSecure ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    /// The status of `GET /v2/health/ready`. Each system call waits `timeoutSeconds` at most.
    func run(timeoutSeconds: Int) -> Result<Int, Failure> {
        Result { () throws(Failure) in
            let socket = try connectedSocket(timeoutSeconds: timeoutSeconds)
            defer { close(socket) }
            let request = Array(
                "GET /v2/health/ready HTTP/1.1\r\nhost: \(host)\r\nconnection: close\r\n\r\n".utf8)
            let answer = isSecure ? try exchangeTLS(request, socket) : try exchange(request, socket)
            // "HTTP/1.1 200 OK"
            let words = String(decoding: answer, as: UTF8.self).split(separator: " ", maxSplits: 2)
            guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1].prefix(3)) else {
                throw .noStatus
            }
            return status
        }
    }

    private func connectedSocket(timeoutSeconds: Int) throws(Failure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var addresses: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &addresses)
        guard status == 0, let address = addresses else {
            throw .resolve(String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(addresses) }
        let descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype, 0)
        guard descriptor >= 0 else { throw .systemCall("socket", errno: errno) }
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
        }
        guard connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
            let error = errno
            close(descriptor)
            throw .systemCall("connect", errno: error)
        }
        return descriptor
    }

    private func exchange(_ request: [UInt8], _ socket: Int32) throws(Failure) -> [UInt8] {
        guard send(socket, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw .systemCall("send", errno: errno)
        }
        var answer = [UInt8](repeating: 0, count: 1024)
        let count = recv(socket, &answer, answer.count, Int32(MSG_WAITALL))
        guard count >= 0 else { throw .systemCall("recv", errno: errno) }
        return Array(answer[..<count])
    }

    private func exchangeTLS(_ request: [UInt8], _ socket: Int32) throws(Failure) -> [UInt8] {
        let context = SSL_CTX_new(TLS_client_method())
        defer { SSL_CTX_free(context) }
        let session = SSL_new(context)
        defer { SSL_free(session) }
        guard SSL_set_fd(session, socket) == 1, SSL_connect(session) == 1,
            SSL_write(session, request, Int32(request.count)) == request.count
        else { throw .handshake }
        var answer = [UInt8](repeating: 0, count: 1024)
        let count = SSL_read(session, &answer, Int32(answer.count))
        guard count > 0 else { throw .noStatus }
        return Array(answer[..<Int(count)])
    }
}
