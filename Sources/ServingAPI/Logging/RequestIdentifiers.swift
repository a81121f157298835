import HTTPTypes
import Synchronization

/// Names for requests, in answers and in the log: the client's own where it has one, else a new one.
final class RequestIdentifiers: Sendable {
    /// Longer ones are replaced.
    static let maximumByteCount = 128
    static let headerName = HTTPField.Name("x-request-id")!

    /// Of this process: so that numbers of two servers differ.
    private let prefix: String
    private let count = Atomic<UInt64>(0)

    init(seed: UInt64) { prefix = String(seed, radix: 16) + "-" }

    /// The request's own; `nil` where it has none or one that is no plain word.
    static func own(_ fields: HTTPFields) -> String? {
        guard fields.contains(headerName), let text = fields[headerName],
            (1...maximumByteCount).contains(text.utf8.count),
            text.utf8.allSatisfy(isPlain)
        else { return nil }
        return text
    }

    func make() -> String {
        prefix + String(count.wrappingAdd(1, ordering: .relaxed).newValue, radix: 16)
    }

    /// Letters, digits and what identifiers have between them: nothing that a log or a header could take for more.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "/"),
            UInt8(ascii: "+"), UInt8(ascii: "="), UInt8(ascii: "~"), UInt8(ascii: "@"):
            true
        default: false
        }
    }
}
