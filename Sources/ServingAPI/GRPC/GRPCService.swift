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

    init(_ services: ServingServices, _ procedures: [any Procedure]) {
        self.services = services
        self.procedures = procedures
        indices = Dictionary(uniqueKeysWithValues: procedures.enumerated().map { ($1.path, $0) })
    }

    /// Whether a request is for gRPC, by its content-type or its path.
    func claims(_ request: HTTPRequest) -> Bool {
        let fields = request.headerFields
        return fields.contains(.contentType) && Self.isGRPC(fields[.contentType])
            || Self.isPath(request.path ?? "")
    }

    /// Whether a path is of one of the services, its procedure known or not.
    private static func isPath(_ path: String) -> Bool {
        ProcedureCatalog.pathPrefixes.contains { path.hasPrefix($0) }
    }

    /// `application/grpc`, with `+proto` and parameters or without.
    static func isGRPC(_ contentType: String?) -> Bool {
        guard let contentType else { return false }
        let type = contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
        return type == GRPCResponse.contentType || type == GRPCResponse.contentType + "+proto"
    }

    /// The place of the procedure that a head asks for, among heads that `claims` accepts; throws why there is none.
    func procedure(for head: HTTPRequest, _ version: HTTPVersion) throws(RequestError) -> Int {
        let path = head.path ?? ""
        guard Self.isGRPC(head.headerFields[.contentType]) else {
            throw .mediaType(path: String(path.prefix(200)))
        }
        guard version == .http2 else { throw .requiresHTTP2 }
        guard head.method == .post else { throw .method(allowed: ["POST"]) }
        guard let index = indices[path] else {
            throw .unsupported("\(path.prefix(200)) is not implemented")
        }
        return index
    }

    /// Gets the outcome, and the model's name as far as it was read, for metrics.
    typealias Completion = @Sendable (Result<ServerResponse, RequestError>, String) -> Void

    /// Answers a call of the procedure at `index`; `completion` gets the answer from any thread, once.
    func handle(
        _ request: ServerRequest, procedure index: Int, isAbandoned: @escaping @Sendable () -> Bool,
        completion: @escaping Completion
    ) {
        let fields = request.request.headerFields
        do throws(RequestError) {
            let timeout = try Self.timeout(fields[Self.timeoutName])
            let (range, isCompressed) = try GRPCFrame.message(in: request.body)
            guard isCompressed else {
                let message = ProtobufReader(request.body, in: range, limits: services.limits)
                return run(index, message, timeout, isAbandoned, nil, completion)
            }
            guard let name = fields[Self.encodingName], let coding = ContentCoding(name: name) else {
                throw .unsupported(
                    "the message is compressed by '\(fields[Self.encodingName] ?? "")', not by gzip or deflate"
                )
            }
            try services.onCodecWorker({ completion(.failure($0), "") }) { () throws(RequestError) in
                let share = ByteBudget.Share(of: services.expandedBytes)
                let bytes = try Inflater.expand(
                    request.body[range], coding: coding,
                    maximumByteCount: services.limits.maximumExpandedByteCount, share: share)
                let message = ProtobufReader(bytes, in: 0..<bytes.count, limits: services.limits)
                run(index, message, timeout, isAbandoned, share, completion)
            }
        } catch {
            completion(.failure(error), "")
        }
    }

    /// The answer to a call that failed; what no gRPC client can have sent is answered as HTTP.
    static func response(_ error: RequestError) -> ServerResponse {
        switch error {
        case .mediaType, .requiresHTTP2, .method: APIResponse.error(error)
        default: GRPCResponse.error(error)
        }
    }

    /// `share` is kept until the answer.
    private func run(
        _ index: Int, _ message: ProtobufReader, _ timeout: UInt64?,
        _ isAbandoned: @escaping @Sendable () -> Bool, _ share: ByteBudget.Share?,
        _ completion: @escaping Completion
    ) {
        let procedure = procedures[index]
        var model = ""
        do throws(RequestError) {
            var version: String?
            if procedure.isAboutModel { (model, version) = try Self.model(in: message) }
            let call = ProcedureCall(
                message: message, model: model, version: version, timeoutMicroseconds: timeout,
                isAbandoned: isAbandoned)
            let name = model
            try procedure.handle(call) { result in
                withExtendedLifetime(share) { completion(Self.response(result), name) }
            }
        } catch {
            completion(.failure(error), model)
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
