import ModelServing

/// A path of an endpoint: literal segments, `{model}` and `{version}`, the last of them perhaps with a verb behind a colon.
struct PathPattern: Sendable {
    private enum Segment: Sendable {
        case literal([UInt8])
        case model
        case version
    }

    private let segments: [Segment]
    /// What the last segment ends with, beyond what a variable stands for: `:predict`.
    private let suffix: [UInt8]

    /// What a path's variable segments stand for, not yet decoded.
    struct Match {
        var model: ArraySlice<UInt8>?
        var version: String?
    }

    init(_ text: String) {
        let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let end = parts.last.flatMap { part in part.hasPrefix("{") ? part.firstIndex(of: ":") : nil }
        suffix = end.map { Array(text[$0...].utf8) } ?? []
        segments = text.dropFirst(1).prefix(upTo: end ?? text.endIndex).split(
            separator: "/", omittingEmptySubsequences: false
        ).map { segment in
            switch segment {
            case "{model}": .model
            case "{version}": .version
            default: .literal(Array(segment.utf8))
            }
        }
    }

    func match(_ path: [ArraySlice<UInt8>]) -> Match? {
        guard path.count == segments.count else { return nil }
        var path = path
        if !suffix.isEmpty {
            guard let last = path.popLast(), last.suffix(suffix.count).elementsEqual(suffix) else {
                return nil
            }
            path.append(last.dropLast(suffix.count))
        }
        var match = Match()
        for (segment, bytes) in zip(segments, path) {
            switch segment {
            case .literal(let expected):
                guard bytes.elementsEqual(expected) else { return nil }
            case .model: match.model = bytes
            case .version:
                guard !bytes.isEmpty, bytes.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
                match.version = String(decoding: bytes, as: UTF8.self)
            }
        }
        return match
    }

    /// The segments of a path that begins with `/`; `nil` for any other.
    static func segments(of path: some StringProtocol) -> [ArraySlice<UInt8>]? {
        let bytes = Array(path.utf8)
        guard bytes.first == UInt8(ascii: "/") else { return nil }
        return bytes.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    }

    /// A model's name, percent-decoded. Nothing in it may look like a path.
    static func modelName(_ segment: ArraySlice<UInt8>) throws(RequestError) -> String {
        guard let decoded = PercentCoding.decode(Array(segment)) else {
            throw .path(reason: "a percent sign needs two hexadecimal digits")
        }
        guard let name = String(validating: decoded, as: UTF8.self) else {
            throw .path(reason: "the model's name is not UTF-8")
        }
        guard !name.isEmpty else { throw .path(reason: "the model's name is empty") }
        guard name != "..", name != ".", !decoded.contains(UInt8(ascii: "/")), !decoded.contains(0) else {
            throw .path(reason: "a model's name is no path")
        }
        return name
    }
}
