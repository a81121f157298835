package import HTTPTypes

/// The answer to a request. The server adds content-length, date and connection, and drops those a handler set.
package struct ServerResponse: Sendable {
    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    package var body: [UInt8]
    /// Sent over HTTP/2 only: HTTP/1.1 clients rarely read them.
    package var trailers: HTTPFields?

    package init(
        status: HTTPResponse.Status, headers: HTTPFields = [:], body: [UInt8] = [],
        trailers: HTTPFields? = nil
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.trailers = trailers
    }
}
