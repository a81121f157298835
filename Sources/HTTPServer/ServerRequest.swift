package import HTTPTypes

package enum HTTPVersion: Sendable, Equatable {
    case http1_0
    case http1_1
    case http2
}

/// A request that arrived in full.
package struct ServerRequest: Sendable {
    /// The path holds the query; an absolute-form target is split into scheme, authority and path.
    package let request: HTTPRequest
    package let body: [UInt8]
    package let version: HTTPVersion

    package init(request: HTTPRequest, body: [UInt8], version: HTTPVersion) {
        self.request = request
        self.body = body
        self.version = version
    }
}
