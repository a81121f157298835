import HTTPServer
import HTTPTypes
import ModelServing

/// gRPC over HTTP/2: unary calls, found by their path.
///
/// Source: gRPC, "gRPC over HTTP2" (PROTOCOL-HTTP2.md).
struct GRPCService: Sendable {
    let procedures: [any Procedure]
    private let indices: [String: Int]
    private let services: ServingServices

    /// `procedures` are those of the port of predictions where none are given.
    init(_ services: ServingServices, procedures: [any Procedure]? = nil) {
        self.services = services
        let procedures = procedures ?? ProcedureCatalog.standard(services)
        self.procedures = procedures
        indices = Dictionary(uniqueKeysWithValues: procedures.enumerated().map { ($1.path, $0) })
    }

    /// Whether a request is for gRPC, by its content-type or its path.
    func claims(_ request: HTTPRequest) -> Bool {
        Self.isGRPC(request.headerFields[.contentType])
            || Self.isPath(request.path ?? "")
    }

    /// Whether a path is of one of the services, its procedure known or not.
    private static func isPath(_ path: String) -> Bool {
        let path = path.utf8
        return ProcedureCatalog.services.contains { service in
            path.first == UInt8(ascii: "/") && path.dropFirst().starts(with: service.utf8)
                && path.dropFirst(1 + service.utf8.count).first == UInt8(ascii: "/")
        }
    }

    /// `application/grpc`, with `+proto` and parameters or without.
    static func isGRPC(_ contentType: String?) -> Bool {
        guard let contentType else { return false }
        let type = contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
        return type == GRPCResponse.contentType || type == GRPCResponse.contentType + "+proto"
    }

    /// Why no procedure answers calls of this path; `nil` where one does.
    func refusal(ofPath path: String) -> RequestError? { indices[path] == nil ? Self.unknown(path) : nil }

    private static func unknown(_ path: String) -> RequestError {
        .unsupported("\(path.prefix(200)) is not implemented")
    }

    /// A call's place among the procedures, and its model, both for metrics.
    struct Found {
        var procedure: Int?
        var model: String?
    }

    typealias Completion = @Sendable (Result<ServerResponse, RequestError>, Found) -> Void

    /// Answers a request that `claims` accepts; `completion` gets the answer from any thread, once.
    func handle(
        _ request: ServerRequest, isAbandoned: @escaping @Sendable () -> Bool,
        completion: @escaping Completion
    ) {
        var found = Found()
        do throws(RequestError) {
            let path = request.request.path ?? ""
            let fields = request.request.headerFields
            guard Self.isGRPC(fields[.contentType]) else { throw .mediaType(path: String(path.prefix(200))) }
            guard request.version == .http2 else { throw .requiresHTTP2 }
            guard request.request.method == .post else { throw .method(allowed: ["POST"]) }
            guard let index = indices[path] else { throw Self.unknown(path) }
            found.procedure = index
            try services.access?.check(procedures[index].scopes, fields)
            let timeout = try Self.timeout(fields[Self.timeoutName])
            let (range, isCompressed) = try GRPCFrame.message(in: request.body)
            guard isCompressed else {
                let message = ProtobufReader(request.body, in: range, limits: services.limits)
                return run(index, message, timeout, isAbandoned, found, nil, completion)
            }
            guard let name = fields[Self.encodingName], let coding = ContentCoding(name: name) else {
                throw .unsupported(
                    "the message is compressed by '\(fields[Self.encodingName] ?? "")', not by gzip or deflate"
                )
            }
            let earlier = found
            try services.onCodecWorker({ completion(.failure($0), earlier) }) { () throws(RequestError) in
                let share = ByteBudget.Share(of: services.expandedBytes)
                let bytes = try Inflater.expand(
                    request.body[range], coding: coding,
                    maximumByteCount: services.limits.maximumExpandedByteCount, share: share)
                let message = ProtobufReader(bytes, in: 0..<bytes.count, limits: services.limits)
                run(index, message, timeout, isAbandoned, earlier, share, completion)
            }
        } catch {
            completion(.failure(error), found)
        }
    }

    /// A call's answer; what no gRPC client can have sent is answered as HTTP.
    static func response(_ result: Result<ServerResponse, RequestError>) -> ServerResponse {
        switch result {
        case .success(let response): response
        case .failure(.mediaType(let path)): APIResponse.error(.mediaType(path: path))
        case .failure(.requiresHTTP2): APIResponse.error(.requiresHTTP2)
        case .failure(.method(let allowed)): APIResponse.error(.method(allowed: allowed))
        case .failure(let error): GRPCResponse.error(error)
        }
    }

    /// `share` is kept until the answer.
    private func run(
        _ index: Int, _ message: ProtobufReader, _ timeout: UInt64?,
        _ isAbandoned: @escaping @Sendable () -> Bool, _ found: Found, _ share: ByteBudget.Share?,
        _ completion: @escaping Completion
    ) {
        let procedure = procedures[index]
        var found = found
        do throws(RequestError) {
            var model = ""
            var version: String?
            if procedure.isAboutModel { (model, version) = try Self.model(in: message) }
            found.model = model
            let call = ProcedureCall(
                message: message, model: model, version: version, timeoutMicroseconds: timeout,
                isAbandoned: isAbandoned)
            let known = found
            try procedure.handle(call) { result in
                withExtendedLifetime(share) { completion(Self.response(result), known) }
            }
        } catch {
            completion(.failure(error), found)
        }
    }

    private static func response(
        _ result: Result<ProtobufWriter, RequestError>
    ) -> Result<ServerResponse, RequestError> {
        result.flatMap { writer in
            guard let frame = GRPCFrame.end(writer) else {
                return .failure(.frame(reason: "the answer is longer than 4 GiB"))
            }
            return .success(GRPCResponse.message(frame))
        }
    }

    /// Every message about a model begins with its name and version.
    private static func model(
        in message: ProtobufReader
    ) throws(RequestError) -> (name: String, version: String?) {
        var message = message
        var name = ""
        var version = ""
        while let field = try message.next() {
            switch field.number {
            case 1: name = try message.string(field, "model_name")
            case 2: version = try message.string(field, "model_version")
            default: break
            }
        }
        return (name, version.isEmpty ? nil : version)
    }

    private static func timeout(_ text: String?) throws(RequestError) -> UInt64? {
        guard let text else { return nil }
        guard let timeout = GRPCTimeout.microseconds(text) else {
            throw .header(name: "grpc-timeout", reason: "'\(text)' is not up to eight digits and a unit")
        }
        return timeout
    }

    private static let timeoutName = HTTPField.Name("grpc-timeout")!
    private static let encodingName = HTTPField.Name("grpc-encoding")!
}
