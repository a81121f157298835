package import HTTPTypes

/// Why the server itself refuses a request. The connection is closed after an HTTP/1.1 refusal: where the next
/// request would begin is no longer certain.
package enum RequestRefusal: Error, Equatable, CustomStringConvertible {
    case bareLineFeed
    case emptyLine
    case malformedRequestLine
    case malformedVersion
    case unsupportedVersion
    case methodTooLong
    case malformedTarget
    case unsupportedMethod(String)
    case targetTooLong(limit: Int)
    case headerTooLarge(limit: Int)
    case tooManyFields(limit: Int)
    case foldedLine
    case malformedFieldName
    case malformedFieldValue(name: String)
    case missingHost
    case repeatedHost
    case malformedHost
    case malformedContentLength
    case differingContentLengths
    case contentLengthWithTransferEncoding
    case transferEncodingInHTTP1_0
    case malformedTransferEncoding
    case unknownTransferCoding(String)
    case malformedChunk
    case chunkExtensionsTooLarge(limit: Int)
    case bodyTooLarge(limit: Int)
    case unknownExpectation(String)
    case headerTimeout
    case bodyTimeout
    case overloaded

    package var status: HTTPResponse.Status {
        switch self {
        case .unsupportedVersion: .httpVersionNotSupported
        case .methodTooLong, .unsupportedMethod, .unknownTransferCoding: .notImplemented
        case .targetTooLong: .uriTooLong
        case .headerTooLarge, .tooManyFields: .requestHeaderFieldsTooLarge
        case .bodyTooLarge: .contentTooLarge
        case .unknownExpectation: .expectationFailed
        case .headerTimeout, .bodyTimeout: .requestTimeout
        case .overloaded: .serviceUnavailable
        default: .badRequest
        }
    }

    package var description: String {
        switch self {
        case .bareLineFeed: "a line ends with a line feed that no carriage return precedes"
        case .emptyLine: "more than one empty line stands before the request"
        case .malformedRequestLine: "the request line is not 'method target version'"
        case .malformedVersion: "the request line does not end with an HTTP version"
        case .unsupportedVersion: "only HTTP/1.0, HTTP/1.1 and HTTP/2 are served"
        case .methodTooLong: "the method is longer than any known one"
        case .malformedTarget: "the request target is malformed"
        case .unsupportedMethod(let method): "method \(method) is not supported"
        case .targetTooLong(let limit): "the request target is longer than \(limit) bytes"
        case .headerTooLarge(let limit): "the header fields are longer than \(limit) bytes"
        case .tooManyFields(let limit): "the request has more than \(limit) header fields"
        case .foldedLine: "a header field is folded over lines"
        case .malformedFieldName: "a header field's name is malformed"
        case .malformedFieldValue(let name): "the value of header field '\(name)' is malformed"
        case .missingHost: "the request has no host field"
        case .repeatedHost: "the request has more than one host field"
        case .malformedHost: "the host is malformed"
        case .malformedContentLength: "content-length is not a number of bytes"
        case .differingContentLengths: "the request has differing content-lengths"
        case .contentLengthWithTransferEncoding: "the request has both content-length and transfer-encoding"
        case .transferEncodingInHTTP1_0: "HTTP/1.0 has no transfer-encoding"
        case .malformedTransferEncoding: "transfer-encoding must be chunked, once and last"
        case .unknownTransferCoding(let coding): "transfer coding '\(coding)' is not supported"
        case .malformedChunk: "the chunked body is malformed"
        case .chunkExtensionsTooLarge(let limit): "the chunk extensions are longer than \(limit) bytes"
        case .bodyTooLarge(let limit): "the body is longer than \(limit) bytes"
        case .unknownExpectation(let expectation): "expectation '\(expectation)' cannot be met"
        case .headerTimeout: "the header fields took too long to arrive"
        case .bodyTimeout: "the body took too long to arrive"
        case .overloaded: "too many bodies are being received; try again later"
        }
    }
}
