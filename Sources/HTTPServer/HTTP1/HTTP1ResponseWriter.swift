internal import HTTPTypes

/// Writes an answer's head. RFC 9112 §4.
enum HTTP1ResponseWriter {
    enum Persistence {
        /// HTTP/1.1 keeps the connection without a word.
        case implied
        /// RFC 9112 §9.3: an HTTP/1.0 client is told that its keep-alive is granted.
        case keepAlive
        case close
    }

    static let continueLine = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// Always with a content-length, that of the body which a HEAD request is not sent; but RFC 9110 §8.6: none with
    /// 204, and 304 has no body.
    static func writeHead(
        of response: ServerResponse, persistence: Persistence, date: String, to bytes: inout [UInt8]
    ) {
        bytes.append(contentsOf: "HTTP/1.1 ".utf8)
        bytes.appendDecimal(response.status.code)
        bytes.append(.space)
        bytes.append(contentsOf: response.status.reasonPhrase.utf8)
        for field in response.headers where !isOwn(field.name) {
            bytes.append(contentsOf: "\r\n".utf8)
            bytes.append(contentsOf: field.name.rawName.utf8)
            bytes.append(contentsOf: ": ".utf8)
            field.withUnsafeBytesOfValue { bytes.append(contentsOf: $0) }
        }
        bytes.append(contentsOf: "\r\ndate: ".utf8)
        bytes.append(contentsOf: date.utf8)
        if response.mayHaveBody {
            bytes.append(contentsOf: "\r\ncontent-length: ".utf8)
            bytes.appendDecimal(response.body.count)
        }
        switch persistence {
        case .implied: bytes.append(contentsOf: "\r\n\r\n".utf8)
        case .keepAlive: bytes.append(contentsOf: "\r\nconnection: keep-alive\r\n\r\n".utf8)
        case .close: bytes.append(contentsOf: "\r\nconnection: close\r\n\r\n".utf8)
        }
    }

    /// Fields that the server itself sets, or that describe a connection a handler knows nothing of.
    static func isOwn(_ name: HTTPField.Name) -> Bool {
        let name = name.canonicalName
        // Few names are as long as one of these, so few are compared.
        return switch name.utf8.count {
        case 2: name == "te"
        case 4: name == "date"
        case 7: name == "upgrade"
        case 10: name == "connection" || name == "keep-alive"
        case 14: name == "content-length"
        case 16: name == "proxy-connection"
        case 17: name == "transfer-encoding"
        default: false
        }
    }
}

extension ServerResponse {
    /// RFC 9110 §6.4.1: 204 and 304 end with their head. A handler's 1xx is not an answer; `normalized` turns it away.
    var mayHaveBody: Bool { status.code != 204 && status.code != 304 }
}

extension [UInt8] {
    mutating func appendDecimal(_ number: Int) {
        precondition(number >= 0)
        if number >= 10 { appendDecimal(number / 10) }
        append(UInt8(ascii: "0") + UInt8(number % 10))
    }
}
