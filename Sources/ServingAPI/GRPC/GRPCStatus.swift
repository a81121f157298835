import HTTPTypes
import ModelServing

/// How a call ended. Source: gRPC, "Status codes and their use".
enum GRPCStatus: Int {
    case ok = 0
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case permissionDenied = 7
    case resourceExhausted = 8
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
    case unauthenticated = 16

    init(_ error: RequestError) {
        switch error {
        case .serving(.timedOut): self = .deadlineExceeded
        case .serving(.abandoned): self = .cancelled
        case .noRoute: self = .unimplemented
        default: self.init(status: error.status.code)
        }
    }

    /// The status that an HTTP status stands for.
    init(status: Int) {
        switch status {
        case 400: self = .invalidArgument
        case 401: self = .unauthenticated
        case 403: self = .permissionDenied
        case 404: self = .notFound
        case 408, 429, 503: self = .unavailable
        case 413, 414, 431: self = .resourceExhausted
        case 500: self = .internal
        case 501: self = .unimplemented
        default: self = .unknown
        }
    }

    /// A message as a field's value: bytes outside of printable ASCII, and the percent sign, are escaped.
    static func escaped(_ message: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in message.utf8.prefix(maximumMessageByteCount) {
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0x0F)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Clients take 8 KiB of header fields.
    private static let maximumMessageByteCount = 2048
}
