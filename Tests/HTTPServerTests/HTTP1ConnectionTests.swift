import Glibc
import HTTPServer
import Testing

@Suite struct HTTP1ConnectionTests {
    private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test func `one connection serves request after request`() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            for _ in 0..<3 {
                client.send(get)
                let answer = try client.answer()
                #expect(answer.status == 200 && answer.body == "ok")
                #expect(answer.fields["connection"] == nil)
                #expect(answer.fields["date"]?.hasSuffix("GMT") == true)
            }
            #expect(server.statistics.openConnections == 1)
            #expect(server.statistics.acceptedConnections == 1)
        }
    }

    @Test func `answers that are known at once keep the order of the requests`() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            let paths = ["/slow", "/at-once", "/nothing", "/at-once"]
            client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            #expect(try client.answer().body == "/slow")
            #expect(try client.answer().body == "ok")
            #expect(try client.answer().status == 500)
            #expect(try client.answer().body == "ok")
        }
    }

    @Test(arguments: [false, true])
    func `any number of requests that are answered at once get their answers`(_ ends: Bool) throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            let count = 3 * Limits().maximumPipelinedRequests + 1
            client.send(String(repeating: "GET /at-once HTTP/1.1\r\nHost: a\r\n\r\n", count: count))
            if ends { client.endOutput() }
            for _ in 0..<count { #expect(try client.answer().body == "ok") }
            if ends { #expect(client.isClosedByServer()) }
        }
    }

    @Test func `a client that takes no answers keeps the loop from no other`() throws {
        try withServer { server in
            let greedy = try RawClient(port: server.port)
            // Megabytes of answers each, of which the server makes no more than it may hold.
            greedy.send(String(repeating: "GET /at-once?1000000 HTTP/1.1\r\nHost: a\r\n\r\n", count: 4000))
            let client = try RawClient(port: server.port)
            for _ in 0..<3 {
                client.send(get)
                #expect(try client.answer().status == 200)
            }
        }
    }

    @Test func `a head behind requests that were answered at once has its time to arrive`() throws {
        try withServer({ $0.limits.headerTimeoutSeconds = 0.1 }) { server in
            let client = try RawClient(port: server.port)
            let count = Limits().maximumPipelinedRequests
            let request = "GET /at-once HTTP/1.1\r\nHost: a\r\n\r\n"
            client.send(String(repeating: request, count: count) + "GET / HTTP/1.1\r\nHo")
            for _ in 0..<count { #expect(try client.answer().status == 200) }
            #expect(try client.answer().status == 408)
        }
    }

    @Test func `a request that asks for it is answered with close and closed`() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(try client.answer().fields["connection"] == "close")
            #expect(client.isClosedByServer())
        }
    }

    @Test func `an HTTP/1.0 client is closed unless it asks for keep-alive, which is echoed`() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(try client.answer().fields["connection"] == "keep-alive")
            client.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try client.answer().fields["connection"] == "close")
            #expect(client.isClosedByServer())
        }
    }

    @Test func `pipelined requests are answered in their order, whatever order the answers come in`() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            client.send(["/slow?1", "/head", "/slow?2", "/"].map(request).joined())
            #expect(try client.answer().body == "/slow?1")
            #expect(try client.answer().body == "GET /head a http1_1")
            #expect(try client.answer().body == "/slow?2")
            #expect(try client.answer().body == "ok")
        }
    }

    @Test func `more pipelined requests than the limit are all answered`() throws {
        try withServer({ $0.limits.maximumPipelinedRequests = 2 }) { server in
            let client = try RawClient(port: server.port)
            client.send((0..<20).map { request($0 % 5 == 0 ? "/slow?\($0)" : "/zeros?\($0)") }.joined())
            for index in 0..<20 {
                let answer = try client.answer()
                #expect(
                    answer.body == (index % 5 == 0 ? "/slow?\(index)" : String(repeating: "0", count: index)))
            }
        }
    }

    @Test func `at most as many pipelined requests as the limit are handled at once`() throws {
        let handler = CountingHandler()
        try withServer({ $0.limits.maximumPipelinedRequests = 3 }, handler: handler) { server in
            let client = try RawClient(port: server.port)
            client.send((0..<10).map { request("/\($0)") }.joined())
            usleep(200_000)
            #expect(handler.waitingCount == 3)
            for _ in 0..<10 {
                handler.answerNext()
                #expect(try client.answer().status == 200)
            }
        }
    }

    @Test func `bodies come back as they were sent, sized and chunked`() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            let body = String(repeating: "0123456789abcdef", count: 20_000)
            client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            #expect(try client.answer().body == body)
            let chunk = "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n"
            client.send(
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)\(chunk)0\r\n\r\n"
            )
            #expect(try client.answer().body == body + body)
        }
    }

    @Test func `HEAD gets the length and no body`() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            client.send("HEAD /zeros?500 HTTP/1.1\r\nHost: a\r\n\r\n" + get)
            #expect(try client.answer(hasBody: false).fields["content-length"] == "500")
            #expect(try client.answer().body == "ok")
        }
    }

    @Test func `204 has neither body nor length`() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            client.send(request("/empty") + get)
            #expect(try client.answer().fields["content-length"] == nil)
            #expect(try client.answer().body == "ok")
        }
    }

    @Test func `a waiting client is told to continue`() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            client.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(try client.answer().status == 100)
            client.send("hi")
            #expect(try client.answer().body == "hi")
        }
    }

    @Test func `100 comes after the answers before it`() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            client.send(
                request("/slow")
                    + "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(try client.answer().body == "/slow")
            #expect(try client.answer().status == 100)
            client.send("hi")
            #expect(try client.answer().body == "hi")
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/3.0\r\n", 505),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
    ])
    func `a refused request is answered in the handler's words and the connection closed`(
        _ bytes: String, _ status: Int
    ) throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            client.send(get + bytes)
            #expect(try client.answer().status == 200)
            let answer = try client.answer()
            #expect(answer.status == status)
            #expect(answer.fields["connection"] == "close")
            #expect(answer.body.hasPrefix("{\"error\":"))
            #expect(client.isClosedByServer())
        }
    }

    @Test(arguments: [
        "Content-Length: 5000000", "Transfer-Encoding: chunked",
        "Expect: 100-continue\r\nContent-Length: 5000000",
        "Expect: 100-continue\r\nTransfer-Encoding: chunked",
    ])
    func `a request that its head decides is answered before its body comes`(_ framing: String) throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            client.send(get + "POST /refused HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
            #expect(try client.answer().status == 200)
            let answer = try client.answer()
            #expect(answer.status == 401 && answer.body == "no http1_1")
            #expect(answer.fields["connection"] == "close")
            #expect(client.isClosedByServer())
        }
    }

    @Test func `no memory is taken for a body that nobody will read`() throws {
        try withServer({ $0.limits.maximumBufferedByteCount = 1000 }) { server in
            let client = try RawClient(port: server.port)
            client.send("POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
            client.send([UInt8](repeating: 65, count: 1_000_000))
            #expect(try client.answer().status == 401)
        }
    }

    @Test func `a client that is still sending a body too large can read its 413`() throws {
        try withServer({ $0.limits.maximumBodyByteCount = 1000 }) { server in
            let client = try RawClient(port: server.port)
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n")
            client.send([UInt8](repeating: 65, count: 1_000_000))
            #expect(try client.answer().status == 413)
        }
    }

    @Test func `bodies beyond what the server may hold are refused`() throws {
        try withServer({ $0.limits.maximumBufferedByteCount = 1000 }) { server in
            let client = try RawClient(port: server.port)
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n")
            client.send([UInt8](repeating: 65, count: 1001))
            #expect(try client.answer().status == 503)
            let next = try RawClient(port: server.port)
            next.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
            #expect(try next.answer().body == "hello")
        }
    }

    @Test(arguments: ["/never", "/early"])
    func `a request without a proper answer gets 500`(_ path: String) throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            client.send(request(path))
            #expect(try client.answer().status == 500)
            client.send(get)
            #expect(try client.answer().status == 200)
        }
    }

    @Test func `a client that has ended its side still gets its answers`() throws {
        let handler = CountingHandler()
        try withServer(handler: handler) { server in
            let client = try RawClient(port: server.port)
            client.send(get + get)
            client.endOutput()
            // It waits, so the server looks once whether it is still there.
            #expect(try client.answer().status == 100)
            for _ in 0..<2 {
                handler.answerNext()
                #expect(try client.answer().body == "late")
            }
            #expect(client.isClosedByServer())
        }
    }

    @Test func `a client of HTTP/1.0 that has ended its side gets nothing but its answer`() throws {
        let handler = CountingHandler()
        try withServer(handler: handler) { server in
            let client = try RawClient(port: server.port)
            client.send("GET / HTTP/1.0\r\n\r\n")
            client.endOutput()
            usleep(200_000)
            handler.answerNext()
            #expect(try client.answer().body == "late")
            #expect(client.isClosedByServer())
        }
    }

    @Test(arguments: ["", "Connection: close\r\n"])
    func `a client that closes while it waits is found gone`(_ field: String) throws {
        let handler = CountingHandler()
        try withServer(handler: handler) { server in
            let client = try RawClient(port: server.port)
            client.send("POST / HTTP/1.1\r\nHost: a\r\n\(field)Content-Length: 2\r\n\r\nhi")
            handler.waitForRequest()
            client.leave()
            #expect(handler.comesToSeeClientGone())
            handler.answerNext()
        }
    }

    @Test func `the holder of a responder learns that the client has gone`() throws {
        let handler = CountingHandler()
        try withServer(handler: handler) { server in
            let client = try RawClient(port: server.port)
            client.send(get)
            while handler.waitingCount == 0 { usleep(1000) }
            #expect(!handler.isNextClientGone)
            client.reset()
            for _ in 0..<1000 where !handler.isNextClientGone { usleep(1000) }
            #expect(handler.isNextClientGone)
            handler.answerNext()
        }
    }

    @Test func `a large answer reaches a client that reads slowly`() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            client.send(request("/zeros?20000000") + get)
            usleep(200_000)
            #expect(try client.answer().body.utf8.count == 20_000_000)
            #expect(try client.answer().body == "ok")
        }
    }

    @Test func `connections past the limit wait until there is room`() throws {
        try withServer({ $0.limits.maximumConnections = 2 }) { server in
            let first = try RawClient(port: server.port)
            let second = try RawClient(port: server.port)
            for client in [first, second] {
                client.send(get)
                #expect(try client.answer().status == 200)
            }
            let third = try RawClient(port: server.port)
            third.send(get)
            usleep(100_000)
            #expect(server.statistics.openConnections == 2)
            first.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(try first.answer().status == 200)
            #expect(try third.answer().status == 200)
        }
    }

    @Test func `several loops share the connections`() throws {
        try withServer({ $0.loopCount = 3 }) { server in
            let clients = try (0..<9).map { _ in try RawClient(port: server.port) }
            for client in clients { client.send(request("/slow") + get) }
            for client in clients {
                #expect(try client.answer().body == "/slow")
                #expect(try client.answer().body == "ok")
            }
            #expect(server.statistics.acceptedConnections == 9)
        }
    }

    private func request(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }
}
