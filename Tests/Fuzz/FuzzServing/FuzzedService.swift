import Execution
import Glibc
import Graph
import HTTPServer
import HTTPTypes
import Logging
import ModelFormats
import ModelServing
import ServingAPI
import Tensors
import Threads

/// The endpoints and procedures over small models, without any socket.
///
/// `m` doubles `x` [N, 4] float32 to `y` and has labels. The others give their inputs back: `wide` the float64 `a` [N, M]
/// as `b`, `pair` the int64 `a` [2] and the bool `b` [N] as `c` and `d`, `half` the float16 `a` [N] as `b`.
package final class FuzzedService: Sendable {
    private let handler: ServingHandler

    private static let shapes: [(name: String, ports: [(String, String, ElementType, [Dimension])])] = [
        ("m", []),
        ("wide", [("a", "b", .float64, [.symbol("N"), .symbol("M")])]),
        ("pair", [("a", "c", .int64, [.known(2)]), ("b", "d", .bool, [.symbol("N")])]),
        ("half", [("a", "b", .float16, [.symbol("N")])]),
    ]

    package init() {
        let quiet = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
        let folder = Self.makeFolder()
        let loader = ModelLoader(
            fileNames: ["model.onnx"], workers: WorkerPool(threadCount: 1), clock: .system
        ) { (folder) throws(ModelError) in
            do throws(GraphError) {
                return (try Self.graph(String(folder.split(separator: "/").dropLast().last ?? "")), "fuzz")
            } catch {
                throw .file(path: folder, reason: error.description)
            }
        }
        let repository: ModelRepository
        do throws(RepositoryError) {
            repository = try ModelRepository(folder: folder, loader: loader, logger: quiet)
        } catch {
            fatalError("\(error)")
        }
        repository.start()
        repository.waitUntilLoaded()
        precondition(repository.blockingModel == nil, "a model does not load")
        handler = ServingHandler(
            ServingServices(
                repository: repository, scheduler: InferenceScheduler(.init(), clock: .system),
                codecWorkers: WorkerQueue(name: "codec", threadCount: 1, limit: 16),
                backgroundWorkers: WorkerQueue(name: "background", threadCount: 1, limit: 16),
                logger: quiet, serverVersion: "1"),
            clock: .system)
    }

    /// Sends a request and waits for its one answer, which is well formed and no error of the server's own.
    package func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8], _ headers: HTTPFields = [:],
        version: HTTPVersion = .http1_1
    ) -> ServerResponse {
        let answers = Lock<[ServerResponse]>([])
        let request = HTTPRequest(
            method: method, scheme: "http", authority: "h", path: path, headerFields: headers)
        handler.handle(
            ServerRequest(request: request, body: body, version: version), isAbandoned: { false }
        ) { response in
            answers.withLock { $0.append(response) }
            answers.notifyAll()
        }
        let answer = answers.wait { $0.last }
        precondition(answers.withLock { $0.count } == 1, "more than one answer")
        precondition(answer.status != .internalServerError, text(answer))
        if answer.status != .ok {
            let members = (try? JSONParser.parse(answer.body))?.object
            precondition(members?.count == 1 && members?["error"]?.string != nil, text(answer))
            precondition(answer.headers[.contentType] == "application/json", text(answer))
        }
        return answer
    }

    private func text(_ answer: ServerResponse) -> String { String(decoding: answer.body, as: UTF8.self) }

    /// In shared memory, and empty but for the versions' folders once the models are loaded.
    private static func makeFolder() -> String {
        let folder = "/dev/shm/foldserve-fuzz-\(getpid())-models"
        mkdir(folder, 0o700)
        for (name, _) in shapes {
            mkdir("\(folder)/\(name)", 0o700)
            mkdir("\(folder)/\(name)/1", 0o700)
        }
        guard let description = fopen("\(folder)/m/model.json", "w") else { fatalError("cannot write there") }
        fputs(#"{"labels":["zero","one","two","three"]}"#, description)
        fclose(description)
        return folder
    }

    private static func graph(_ name: String) throws(GraphError) -> Graph {
        guard let ports = shapes.first(where: { $0.name == name })?.ports, !ports.isEmpty else {
            let double = try Node(
                name: "double", domain: Affine.domain, type: Affine.type,
                attributes: Affine.attributes(scale: [2, 2, 2, 2], shift: [0, 0, 0, 0], axis: 1),
                opset: 17, inputs: ["x"], outputs: ["y"])
            return try graph([("x", "y", .float32, [.symbol("N"), .known(4)])], [double])
        }
        var nodes: [Node] = []
        for (input, output, _, _) in ports {
            nodes.append(
                try Node(name: output, type: "Identity", opset: 17, inputs: [input], outputs: [output]))
        }
        return try graph(ports, nodes)
    }

    private static func graph(
        _ ports: [(String, String, ElementType, [Dimension])], _ nodes: [Node]
    ) throws(GraphError) -> Graph {
        try Graph(
            name: "fuzz", opset: 17,
            inputs: ports.map { .init(name: $0.0, info: ValueInfo($0.2, $0.3)) },
            outputs: ports.map { .init(name: $0.1, info: ValueInfo(nil, nil)) }, constants: [:], nodes: nodes)
    }
}
