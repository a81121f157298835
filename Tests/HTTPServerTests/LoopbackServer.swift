import Glibc
import HTTPServer
import Logging
import Testing

/// A server on a port of its own for the length of `body`.
func withServer<Result>(
    _ configure: (inout ServerConfiguration) -> Void = { _ in }, handler: any RequestHandler = EchoHandler(),
    _ body: (Server) throws -> Result
) throws -> Result {
    var configuration = ServerConfiguration(host: "127.0.0.1")
    configuration.limits.lingerTimeoutSeconds = 0.5
    configuration.limits.drainGraceSeconds = 0.05
    configure(&configuration)
    let logger = Logger(label: "http-tests") { _ in SwiftLogNoOpLogHandler() }
    let server = try Server(configuration: configuration, handler: handler, logger: logger)
    server.start()
    defer { server.shutdown(drainTimeoutSeconds: 5) }
    return try body(server)
}

/// A blocking socket that writes bytes as told and reads answers one at a time.
final class RawClient {
    private let descriptor: Int32
    private var isClosed = false
    private var held: [UInt8] = []

    struct Answer: Equatable {
        var status: Int
        var fields: [String: String]
        var body: String
    }

    enum Failure: Error { case connect(Int32), closed, timeout, malformed(String) }

    init(port: Int, receiveTimeoutSeconds: Int = 5) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var timeout = timeval(tv_sec: receiveTimeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure.connect(errno) }
    }

    deinit { if !isClosed { close(descriptor) } }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            offset += count
        }
    }

    func endOutput() { Glibc.shutdown(descriptor, Int32(SHUT_WR)) }

    func leave() {
        close(descriptor)
        isClosed = true
    }

    /// Closes with a reset instead of an end.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close(descriptor)
        isClosed = true
    }

    func readByteChunk() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0 { throw errno == EAGAIN ? Failure.timeout : Failure.closed }
        return Array(buffer[..<count])
    }

    /// One answer; `hasBody` is false for the answer to HEAD.
    func answer(hasBody: Bool = true) throws -> Answer {
        while true {
            if let answer = try takeAnswer(hasBody: hasBody) { return answer }
            let more = try readByteChunk()
            if more.isEmpty {
                throw held.isEmpty ? Failure.closed : .malformed(String(decoding: held, as: UTF8.self))
            }
            held += more
        }
    }

    /// Whether the server closes its side in order before the time-out, with nothing more sent.
    func isClosedByServer() -> Bool { held.isEmpty && (try? readByteChunk())?.isEmpty == true }

    private func takeAnswer(hasBody: Bool) throws -> Answer? {
        guard let end = held.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        var lines = String(decoding: held[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let statusLine = lines.removeFirst()
        guard statusLine.hasPrefix("HTTP/1.1 "), let status = Int(statusLine.dropFirst(9).prefix(3)) else {
            throw Failure.malformed(String(statusLine))
        }
        var fields: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ": ", maxSplits: 1)
            fields[parts[0].lowercased()] = parts.count > 1 ? String(parts[1]) : ""
        }
        let length = hasBody ? fields["content-length"].flatMap { Int($0) } ?? 0 : 0
        guard held.count >= end.upperBound + length else { return nil }
        let body = String(decoding: held[end.upperBound..<end.upperBound + length], as: UTF8.self)
        held.removeFirst(end.upperBound + length)
        return Answer(status: status, fields: fields, body: body)
    }
}
