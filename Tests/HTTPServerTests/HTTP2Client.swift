import HTTPServer

/// Writes HTTP/2 frames by hand, good and bad ones, and reads those of the server.
final class HTTP2Client {
    struct Frame: Equatable {
        let type: UInt8
        let flags: UInt8
        let stream: UInt32
        let payload: [UInt8]
    }

    private let socket: RawClient
    private var held: [UInt8] = []

    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let reset: UInt8 = 3
    static let settings: UInt8 = 4
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let endStream: UInt8 = 1
    static let endHeaders: UInt8 = 4

    init(port: Int) throws {
        socket = try RawClient(port: port)
        socket.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        send(type: Self.settings, flags: 0, stream: 0)
    }

    func send(type: UInt8, flags: UInt8, stream: UInt32, _ payload: [UInt8] = []) {
        let count = UInt32(payload.count)
        var bytes = [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags]
        bytes += (0..<4).map { UInt8(stream >> (24 - 8 * $0) & 255) }
        socket.send(bytes + payload)
    }

    /// RFC 7541: literals without indexing, no Huffman coding.
    func sendHead(
        stream: UInt32, method: String = "GET", path: String, fields: [(String, String)] = [],
        ends: Bool = true
    ) {
        let all = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")] + fields
        var block: [UInt8] = []
        for (name, value) in all { block += [0] + Self.literal(name) + Self.literal(value) }
        send(
            type: Self.headers, flags: Self.endHeaders | (ends ? Self.endStream : 0), stream: stream, block)
    }

    private static func literal(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var rest = bytes.count - 127
        var prefix: [UInt8] = [127]
        while rest >= 128 {
            prefix.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return prefix + [UInt8(rest)] + bytes
    }

    func leave() { socket.leave() }

    func endOutput() { socket.endOutput() }

    /// The next frame, or nil when the server has closed.
    func frame() throws -> Frame? {
        while true {
            if held.count >= 9 {
                let count = Int(held[0]) << 16 | Int(held[1]) << 8 | Int(held[2])
                if held.count >= 9 + count {
                    let stream = held[5..<9].reduce(0) { $0 << 8 | UInt32($1) }
                    let frame = Frame(
                        type: held[3], flags: held[4], stream: stream, payload: Array(held[9..<9 + count]))
                    held.removeFirst(9 + count)
                    return frame
                }
            }
            let more = try socket.readByteChunk()
            if more.isEmpty { return nil }
            held += more
        }
    }

    /// The next frame of this type.
    func frame(type: UInt8) throws -> Frame? {
        while let frame = try frame() {
            if frame.type == type { return frame }
        }
        return nil
    }
}

extension HTTP2Client.Frame {
    /// The error code of RST_STREAM and GOAWAY.
    var errorCode: UInt32 {
        let bytes = type == HTTP2Client.goAway ? payload.dropFirst(4).prefix(4) : payload.prefix(4)
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
