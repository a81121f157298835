internal import HTTPTypes

/// The first line of a request. RFC 9112 §3.
struct HTTP1RequestLine {
    let method: HTTPRequest.Method
    let scheme: String?
    /// From an absolute-form target; the Host field then does not count.
    let authority: String?
    let path: String
    let version: HTTPVersion

    /// A method longer than this is none that exists.
    static let maximumMethodByteCount = 32
    /// The longest line around a target: method, two spaces, version, line end.
    static let maximumByteCountWithoutTarget = maximumMethodByteCount + 2 + 8 + 2

    /// `line` has no line end.
    init(_ line: Slice<UnsafeBufferPointer<UInt8>>, maximumTargetByteCount: Int) throws(RequestRefusal) {
        // RFC 9112 §3: single spaces; lenient whitespace is where parsers disagree.
        guard let firstSpace = line.firstIndex(of: .space), let lastSpace = line.lastIndex(of: .space),
            firstSpace != lastSpace
        else { throw .malformedRequestLine }
        let methodBytes = line[line.startIndex..<firstSpace]
        let target = line[firstSpace + 1..<lastSpace]

        guard !methodBytes.isEmpty, ASCIISet.token.containsAll(of: methodBytes) else {
            throw .malformedRequestLine
        }
        guard methodBytes.count <= Self.maximumMethodByteCount else { throw .methodTooLong }
        guard target.count <= maximumTargetByteCount else {
            throw .targetTooLong(limit: maximumTargetByteCount)
        }
        guard !target.isEmpty, target.allSatisfy(\.isTargetByte) else { throw .malformedTarget }
        version = try Self.version(line[(lastSpace + 1)...])

        let name = methodBytes.string
        guard let method = HTTPRequest.Method(name) else { throw .malformedRequestLine }
        // RFC 9110 §9.3.6: a tunnel is a proxy's business.
        guard method != .connect else { throw .unsupportedMethod(name) }
        self.method = method

        if target.first == UInt8(ascii: "/") {
            (scheme, authority, path) = (nil, nil, target.string)
        } else if target.elementsEqual("*".utf8) {
            // RFC 9112 §3.2.4: the asterisk form is for OPTIONS alone.
            guard method == .options else { throw .malformedTarget }
            (scheme, authority, path) = (nil, nil, "*")
        } else {
            (scheme, authority, path) = try Self.absoluteForm(target)
        }
    }

    private static func version(
        _ bytes: Slice<UnsafeBufferPointer<UInt8>>
    ) throws(RequestRefusal) -> HTTPVersion {
        // RFC 9112 §2.3: HTTP-name "/" DIGIT "." DIGIT, in this case.
        guard bytes.count == 8, bytes.starts(with: "HTTP/".utf8),
            let major = bytes[bytes.startIndex + 5].decimalDigit,
            bytes[bytes.startIndex + 6] == UInt8(ascii: "."),
            let minor = bytes[bytes.startIndex + 7].decimalDigit
        else { throw .malformedVersion }
        guard major == 1 else { throw .unsupportedVersion }
        // RFC 9110 §2.5: a higher minor version is read as the highest one known.
        return minor == 0 ? .http1_0 : .http1_1
    }

    /// RFC 9112 §3.2.2: a server accepts absolute-form from every client.
    private static func absoluteForm(
        _ target: Slice<UnsafeBufferPointer<UInt8>>
    ) throws(RequestRefusal) -> (scheme: String, authority: String, path: String) {
        let text = target.string
        guard let colon = text.firstIndex(of: ":") else { throw .malformedTarget }
        let scheme = text[..<colon].lowercased()
        guard scheme == "http" || scheme == "https" else { throw .malformedTarget }
        guard text[colon...].hasPrefix("://") else { throw .malformedTarget }
        let afterScheme = text[text.index(colon, offsetBy: 3)...]
        let pathStart = afterScheme.firstIndex { $0 == "/" || $0 == "?" } ?? afterScheme.endIndex
        let authority = afterScheme[..<pathStart]
        // RFC 9110 §4.2.1: an http URI without a host is invalid; §4.2.4: userinfo is treated as an error.
        guard !authority.isEmpty, !authority.hasPrefix(":"), HostAndPort.isValid(String(authority)) else {
            throw .malformedTarget
        }
        let path = afterScheme[pathStart...]
        return (scheme, String(authority), path.hasPrefix("/") ? String(path) : "/" + path)
    }
}
