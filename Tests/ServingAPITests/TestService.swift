import Execution
import FoundationEssentials
import Glibc
import Graph
import HTTPServer
import HTTPTypes
import Logging
import ModelFormats
import ModelServing
import ServingAPI
import Tensors
import TestSupport
import Testing
import Threads

/// The endpoints over a repository of small models, without any socket.
///
/// `m` doubles [N, 4] float32 and has labels; `half` gives [N] float16 back; `pair` gives back `a` [2] int32 and `b`
/// [N] bool; `open` gives [N, M] int32 back; `broken` cannot be loaded.
final class TestService: Sendable {
    private let folder = TemporaryFolder()
    let services: ServingServices
    let handler: ServingHandler

    init(
        limits: APILimits = APILimits(), access: AccessPolicy? = nil,
        observability: Observability = Observability(),
        makesDigests: Bool = true, logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) throws {
        for name in ["m/1", "m/2", "half/1", "open/1", "pair/1", "broken/3"] {
            try FileManager.default.createDirectory(
                atPath: folder.path + "/" + name, withIntermediateDirectories: true)
        }
        try #"{"labels":["zero","one","two","three"],"card":{"by":"us"}}"#.write(
            toFile: folder.path + "/m/model.json", atomically: false, encoding: .utf8)
        let loader = ModelLoader(
            fileNames: ["model.onnx"], workers: WorkerPool(threadCount: 1), clock: .system,
            makesDigests: makesDigests
        ) { (folder) throws(ModelError) in (try Self.graph(folder), "test_onnx") }
        let repository = try ModelRepository(
            folder: folder.path, loader: loader,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        repository.start()
        repository.waitUntilLoaded()
        services = ServingServices(
            repository: repository, scheduler: InferenceScheduler(.init(), clock: .system),
            codecWorkers: WorkerQueue(name: "codec", threadCount: 1, limit: 16),
            backgroundWorkers: WorkerQueue(name: "background", threadCount: 1, limit: 16), limits: limits,
            access: access, observability: observability, logger: logger, serverVersion: "1.2.3")
        handler = ServingHandler(services, clock: .system)
    }

    deinit {
        services.scheduler.stop()
        services.codecWorkers.stop()
        services.backgroundWorkers.stop()
    }

    private static func graph(_ folder: String) throws(ModelError) -> Graph {
        let name = String(folder.split(separator: "/").dropLast().last ?? "")
        if name == "broken" { throw .file(path: folder, reason: "damaged") }
        do throws(GraphError) {
            switch name {
            case "m":
                let node = try Node(
                    name: "double", domain: Affine.domain, type: Affine.type,
                    attributes: Affine.attributes(
                        scale: [2, 2, 2, 2], shift: [0, 0, 0, 0], axis: 1),
                    opset: 17, inputs: ["x"], outputs: ["y"])
                return try graph([("x", .float32, [.symbol("N"), .known(4)])], ["y"], [node])
            case "half":
                return try graph(
                    [("h", .float16, [.symbol("N")])], ["o"], [try identity("h", "o")])
            case "open":
                return try graph(
                    [("a", .int32, [.symbol("N"), .symbol("M")])], ["c"], [try identity("a", "c")])
            default:
                return try graph(
                    [("a", .int32, [.known(2)]), ("b", .bool, [.symbol("N")])], ["c", "d"],
                    [try identity("a", "c"), try identity("b", "d")])
            }
        } catch {
            throw .file(path: folder, reason: error.description)
        }
    }

    private static func identity(_ input: String, _ output: String) throws(GraphError) -> Node {
        try Node(name: output, type: "Identity", opset: 17, inputs: [input], outputs: [output])
    }

    private static func graph(
        _ inputs: [(String, ElementType, [Dimension])], _ outputs: [String], _ nodes: [Node]
    ) throws(GraphError) -> Graph {
        try Graph(
            name: "test", opset: 17,
            inputs: inputs.map { .init(name: $0.0, info: ValueInfo($0.1, $0.2)) },
            outputs: outputs.map { .init(name: $0, info: ValueInfo(nil, nil)) }, constants: [:], nodes: nodes)
    }

    /// Sends a request and waits for its answer.
    func send(
        _ method: HTTPRequest.Method, _ path: String, body: [UInt8] = [], headers: HTTPFields = [:],
        version: HTTPVersion = .http1_1, to other: ServingHandler? = nil
    ) -> ServerResponse {
        let answer = Lock<ServerResponse?>(nil)
        let request = ServerRequest(
            request: HTTPRequest(
                method: method, scheme: "http", authority: "localhost", path: path, headerFields: headers),
            body: body, version: version)
        (other ?? handler).handle(request, isAbandoned: { false }) { response in
            answer.withLock { $0 = response }
            answer.notifyAll()
        }
        return answer.wait { $0 }
    }

    /// The answer to a head whose body has not come; gRPC's come over HTTP/2.
    func early(
        _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:]
    ) -> ServerResponse? {
        handler.earlyResponse(
            to: HTTPRequest(
                method: method, scheme: "http", authority: "localhost", path: path, headerFields: headers),
            version: headers[.contentType] == nil ? .http1_1 : .http2)
    }

    /// Whether expanded bodies come to take `count` bytes: a request's are given back shortly after its answer.
    func comesToHold(expandedByteCount count: Int) -> Bool {
        for _ in 0..<5000 where services.expandedBytes.chargedByteCount != count { usleep(1000) }
        return services.expandedBytes.chargedByteCount == count
    }

    func get(_ path: String) -> ServerResponse { send(.get, path) }

    func infer(_ json: String, model: String = "m", raw: [UInt8] = []) -> ServerResponse {
        var headers: HTTPFields = [:]
        if !raw.isEmpty { headers[.init(InferFields.headerLength)!] = String(json.utf8.count) }
        return send(.post, "/v2/models/\(model)/infer", body: Array(json.utf8) + raw, headers: headers)
    }

    /// Sends a framed gRPC message and waits for its answer.
    func call(
        _ method: String, _ frame: [UInt8], service: String = "inference.GRPCInferenceService",
        headers: HTTPFields = [:]
    ) -> ServerResponse {
        var headers = headers
        headers[.contentType] = "application/grpc"
        return send(.post, "/\(service)/\(method)", body: frame, headers: headers, version: .http2)
    }
}
