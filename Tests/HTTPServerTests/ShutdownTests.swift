import Foundation
import HTTPServer
import Logging
import Synchronization
import Testing
import Threads

@Suite struct ShutdownTests {
    private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test func `requests that have begun are answered, with close`() throws {
        let server = try makeServer()
        let handled = try RawClient(port: server.port)
        handled.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        let partial = try RawClient(port: server.port)
        partial.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")
        let head = try RawClient(port: server.port)
        head.send("GET / HTTP/1.1\r\nHo")
        usleep(50_000)
        let stopping = stop(server)
        usleep(50_000)
        partial.send("llo")
        head.send("st: a\r\n\r\n")
        for (client, body) in [(handled, "/slow"), (partial, "hello"), (head, "ok")] {
            let answer = try client.answer()
            #expect(answer.body == body)
            #expect(answer.fields["connection"] == "close")
            #expect(client.isClosedByServer())
        }
        stopping.join()
    }

    @Test func `pipelined requests are all answered and only the last says close`() throws {
        let server = try makeServer()
        let client = try RawClient(port: server.port)
        client.send(
            "GET /slow?1 HTTP/1.1\r\nHost: a\r\n\r\n" + get + "GET /slow?2 HTTP/1.1\r\nHost: a\r\n\r\n")
        usleep(50_000)
        let stopping = stop(server)
        #expect(try client.answer().fields["connection"] == nil)
        #expect(try client.answer().fields["connection"] == nil)
        #expect(try client.answer().fields["connection"] == "close")
        #expect(client.isClosedByServer())
        stopping.join()
    }

    @Test func `an idle connection is closed and new ones are refused`() throws {
        let server = try makeServer()
        let client = try RawClient(port: server.port)
        client.send(get)
        #expect(try client.answer().status == 200)
        let stopping = stop(server)
        #expect(client.isClosedByServer())
        stopping.join()
        #expect(server.statistics.openConnections == 0)
        #expect(throws: RawClient.Failure.self) { try RawClient(port: server.port) }
    }

    @Test func `connections that wait in the backlog are served`() throws {
        let server = try makeServer { $0.limits.maximumConnections = 1 }
        let first = try RawClient(port: server.port)
        first.send(get)
        #expect(try first.answer().status == 200)
        let waiting = try (0..<50).map { _ in try RawClient(port: server.port) }
        for client in waiting { client.send(get) }
        usleep(50_000)
        #expect(server.statistics.acceptedConnections == 1)
        let stopping = stop(server)
        for client in waiting { #expect(try client.answer().status == 200) }
        stopping.join()
    }

    @Test func `the time runs out for a handler that does not answer`() throws {
        let handler = CountingHandler()
        let server = try makeServer(handler: handler)
        let client = try RawClient(port: server.port)
        client.send(get)
        while handler.waitingCount == 0 { usleep(1000) }
        server.shutdown(drainTimeoutSeconds: 0.1)
        #expect(throws: RawClient.Failure.self) { try client.answer() }
        // An answer that comes after the end goes nowhere, and harms nothing.
        handler.answerNext()
    }

    @Test func `streams of HTTP/2 are finished after a GOAWAY`() throws {
        let server = try makeServer()
        let client = try HTTP2Client(port: server.port)
        client.sendHead(stream: 1, path: "/slow")
        client.sendHead(stream: 3, method: "POST", path: "/echo", ends: false)
        usleep(50_000)
        let stopping = stop(server)
        #expect(try client.frame(type: HTTP2Client.goAway)?.errorCode == 0)
        client.send(type: HTTP2Client.data, flags: HTTP2Client.endStream, stream: 3, Array("body".utf8))
        // On the wire when the GOAWAY was: still served.
        client.sendHead(stream: 5, path: "/")
        var streams: Set<UInt32> = []
        while let frame = try client.frame() {
            if frame.type == HTTP2Client.data { streams.insert(frame.stream) }
        }
        #expect(streams == [1, 3, 5])
        stopping.join()
    }

    @Test func `a second shutdown waits for the first, and one before the start is nothing`() throws {
        let server = try makeServer()
        let first = stop(server)
        let second = stop(server)
        first.join()
        second.join()
        let unstarted = try Server(
            configuration: ServerConfiguration(host: "127.0.0.1"), handler: EchoHandler(),
            logger: Logger(label: "http-tests"))
        unstarted.shutdown(drainTimeoutSeconds: 1)
        #expect(throws: RawClient.Failure.self) { try RawClient(port: unstarted.port) }
    }

    @Test(arguments: [1, 2])
    func `no request is lost when a server under load stops, again and again`(_ loopCount: Int) throws {
        var lost = 0
        var answered = 0
        for round in 0..<12 {
            let server = try makeServer {
                $0.loopCount = loopCount
                $0.limits.drainGraceSeconds = 0.5
            }
            let load = LoadGenerator(port: server.port, threadCount: 4, keepsAlive: round % 2 == 0)
            usleep(UInt32(5_000 + round * 1000))
            server.shutdown(drainTimeoutSeconds: 10)
            let outcome = load.finish()
            lost += outcome.lost
            answered += outcome.answered
        }
        #expect(lost == 0)
        #expect(answered > 50)
    }

    private func makeServer(
        handler: any RequestHandler = EchoHandler(),
        _ configure: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> Server {
        var configuration = ServerConfiguration(host: "127.0.0.1")
        configuration.limits.drainGraceSeconds = 0.1
        configuration.limits.lingerTimeoutSeconds = 0.5
        configure(&configuration)
        let logger = Logger(label: "http-tests") { _ in SwiftLogNoOpLogHandler() }
        let server = try Server(configuration: configuration, handler: handler, logger: logger)
        server.start()
        return server
    }

    private func stop(_ server: Server) -> Threads.Thread {
        Threads.Thread(name: "stop") { server.shutdown(drainTimeoutSeconds: 5) }
    }
}

/// Threads that send requests until the server refuses connections. A request is lost when its connection was
/// made, the server had not said close, and no whole answer came.
private final class LoadGenerator: Sendable {
    private let lost = Atomic(0)
    private let answered = Atomic(0)
    private let port: Int
    private let keepsAlive: Bool
    private let threads = Lock<[Threads.Thread]>([])

    init(port: Int, threadCount: Int, keepsAlive: Bool) {
        self.port = port
        self.keepsAlive = keepsAlive
        threads.withLock { threads in
            threads = (0..<threadCount).map { _ in Threads.Thread(name: "load") { [unowned self] in run() } }
        }
    }

    func finish() -> (lost: Int, answered: Int) {
        for thread in threads.withLock({ $0 }) { thread.join() }
        return (lost.load(ordering: .relaxed), answered.load(ordering: .relaxed))
    }

    private func run() {
        let field = keepsAlive ? "" : "Connection: close\r\n"
        while let client = try? RawClient(port: port) {
            var isOpen = true
            while isOpen {
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\(field)\r\n")
                if let answer = try? client.answer(), answer.status == 200 {
                    answered.add(1, ordering: .relaxed)
                    isOpen = answer.fields["connection"] != "close"
                } else {
                    lost.add(1, ordering: .relaxed)
                    isOpen = false
                }
            }
        }
    }
}
