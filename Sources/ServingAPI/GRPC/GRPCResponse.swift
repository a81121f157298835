import HTTPServer
import HTTPTypes

/// The answers to gRPC calls.
enum GRPCResponse {
    static let contentType = "application/grpc"
    private static let statusName = HTTPField.Name("grpc-status")!
    private static let messageName = HTTPField.Name("grpc-message")!
    private static let acceptedName = HTTPField.Name("grpc-accept-encoding")!
    private static let pushbackName = HTTPField.Name("grpc-retry-pushback-ms")!
    private static let accepted = "identity,deflate,gzip"

    static func message(_ frame: [UInt8]) -> ServerResponse {
        ServerResponse(
            status: .ok, headers: [.contentType: contentType, acceptedName: accepted], body: frame,
            trailers: [statusName: String(GRPCStatus.ok.rawValue)])
    }

    /// Only a head, which ends the stream.
    static func error(_ status: GRPCStatus, message: String) -> ServerResponse {
        ServerResponse(
            status: .ok,
            headers: [
                .contentType: contentType, acceptedName: accepted, statusName: String(status.rawValue),
                messageName: GRPCStatus.escaped(message),
            ])
    }

    static func error(_ error: RequestError) -> ServerResponse {
        var response = Self.error(GRPCStatus(error), message: error.description)
        // gRFC A6: how long a client that tries again has to wait.
        if case .serving(let serving) = error, let milliseconds = serving.retryMilliseconds {
            response.headers[pushbackName] = String(min(milliseconds, Int(Int32.max)))
        }
        return response
    }
}
