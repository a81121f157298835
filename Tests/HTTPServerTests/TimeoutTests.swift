import Glibc
import HTTPServer
import Testing

@Suite struct TimeoutTests {
    private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test func `a head that does not end is answered with 408`() throws {
        try withServer({ $0.limits.headerTimeoutSeconds = 0.1 }) { server in
            let client = try RawClient(port: server.port)
            client.send("GET / HTTP/1.1\r\nHo")
            #expect(try client.answer().status == 408)
            #expect(client.isClosedByServer())
        }
    }

    @Test func `a head that comes in drops has no more time than any other`() throws {
        try withServer({ $0.limits.headerTimeoutSeconds = 0.3 }) { server in
            let client = try RawClient(port: server.port)
            client.send(get)
            #expect(try client.answer().status == 200)
            let start = now()
            client.send("GET / HTTP/1.1\r\n")
            for _ in 0..<8 {
                usleep(50_000)
                client.send("X: y\r\n")
            }
            #expect(try client.answer().status == 408)
            #expect(now() - start < 3)
        }
    }

    @Test func `a body that does not end is answered with 408`() throws {
        try withServer({ $0.limits.bodyTimeoutSeconds = 0.1 }) { server in
            let client = try RawClient(port: server.port)
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")
            #expect(try client.answer().status == 408)
            #expect(client.isClosedByServer())
        }
    }

    @Test(arguments: [(200, 200), (1, 408)])
    func `a body has longer where it keeps up the minimum rate`(_ pieceByteCount: Int, _ status: Int) throws {
        try withServer({
            $0.limits.bodyTimeoutSeconds = 0.3
            $0.limits.minimumBodyBytesPerSecond = 1000
        }) { server in
            let client = try RawClient(port: server.port)
            let count = 4000
            client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n")
            let start = now()
            // 4000 bytes a second or 20 for twice the time, then the rest.
            for _ in 0..<12 {
                client.send(String(repeating: "x", count: pieceByteCount))
                usleep(50_000)
            }
            client.send(String(repeating: "x", count: count - 12 * pieceByteCount))
            #expect(try client.answer().status == status)
            #expect(now() - start > 0.25)
        }
    }

    @Test func `a fast beginning earns no time to stop in`() throws {
        try withServer({
            $0.limits.bodyTimeoutSeconds = 0.2
            $0.limits.minimumBodyBytesPerSecond = 1
        }) { server in
            let client = try RawClient(port: server.port)
            let start = now()
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n")
            client.send(String(repeating: "x", count: 4000))
            #expect(try client.answer().status == 408)
            #expect(now() - start < 5)
        }
    }

    @Test(arguments: ["", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
    func `an idle connection is closed without a word`(_ bytes: String) throws {
        try withServer({ $0.limits.idleTimeoutSeconds = 0.1 }) { server in
            let client = try RawClient(port: server.port)
            if !bytes.isEmpty {
                client.send(bytes)
                #expect(try client.answer().status == 200)
            }
            #expect(client.isClosedByServer())
        }
    }

    @Test func `a handler may take longer than every time-out of the client`() throws {
        try withServer({
            $0.limits.idleTimeoutSeconds = 0.05
            $0.limits.headerTimeoutSeconds = 0.05
            $0.limits.bodyTimeoutSeconds = 0.05
        }) { server in
            let client = try RawClient(port: server.port)
            client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.answer().status == 200)
        }
    }

    @Test func `a client that does not read its answer is cut off`() throws {
        try withServer({ $0.limits.writeTimeoutSeconds = 0.2 }) { server in
            let client = try RawClient(port: server.port)
            client.send("GET /zeros?50000000 HTTP/1.1\r\nHost: a\r\n\r\n")
            while server.statistics.acceptedConnections == 0 { usleep(1000) }
            for _ in 0..<3000 where server.statistics.openConnections > 0 { usleep(1000) }
            #expect(server.statistics.openConnections == 0)
            #expect(throws: RawClient.Failure.self) { try client.answer() }
        }
    }

    @Test func `a held back request keeps its time to arrive`() throws {
        try withServer({
            $0.limits.maximumPipelinedRequests = 1
            $0.limits.headerTimeoutSeconds = 0.1
        }) { server in
            let client = try RawClient(port: server.port)
            client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHo")
            #expect(try client.answer().status == 200)
            #expect(try client.answer().status == 408)
        }
    }

    private func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
