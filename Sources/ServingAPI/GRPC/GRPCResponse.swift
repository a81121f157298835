import HTTPServer
import HTTPTypes

/// The answers to gRPC calls.
enum GRPCResponse {
    static let contentType = "application/grpc"
    private static let statusName = HTTPField.Name("grpc-status")!
    private static let messageName = HTTPField.Name("grpc-message")!
    private static let acceptedName = HTTPField.Name("grpc-accept-encoding")!
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
        Self.error(GRPCStatus(error), message: error.description)
    }
}
