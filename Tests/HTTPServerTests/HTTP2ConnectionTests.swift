import Foundation
import HTTPServer
import Testing

@Suite struct HTTP2ConnectionTests {
    private static let cancel: [UInt8] = [0, 0, 0, 8]

    @Test func `streams are answered as their answers come`() throws {
        try withServer { server in
            let client = try HTTP2Client(port: server.port)
            client.sendHead(stream: 1, path: "/slow")
            client.sendHead(stream: 3, path: "/")
            let order = try [client.frame(type: HTTP2Client.data), client.frame(type: HTTP2Client.data)]
            #expect(order.map { $0?.stream } == [3, 1])
            #expect(order[1].map { String(decoding: $0.payload, as: UTF8.self) } == "/slow")
        }
    }

    @Test func `a head that is repeated, and one that is nearly the same, mean what they say`() throws {
        try withServer({ $0.limits.maximumTargetByteCount = 100 }) { server in
            let client = try HTTP2Client(port: server.port)
            let heads = [
                ("GET", "/head"), ("GET", "/head"), ("GET", "/head?"), ("PUT", "/head"), ("GET", "/head"),
                ("GET", "/head"),
            ]
            for (index, head) in heads.enumerated() {
                let stream = UInt32(2 * index + 1)
                client.sendHead(stream: stream, method: head.0, path: head.1, fields: [("x", "1")])
                let body = try #require(try client.frame(type: HTTP2Client.data))
                #expect(body.stream == stream)
                #expect(String(decoding: body.payload, as: UTF8.self) == "\(head.0) \(head.1) a http2")
            }
            // A refusal is not one of the request before, nor the other way round.
            let long = "/" + String(repeating: "x", count: 100)
            for (stream, path) in [(UInt32(21), "/head"), (23, long), (25, long), (27, "/head")] {
                client.sendHead(stream: stream, path: path)
                let body = try #require(try client.frame(type: HTTP2Client.data))
                #expect(body.payload.contains(UInt8(ascii: "{")) == (path == long))
            }
        }
    }

    @Test func `an answer that is known at once, and a request that gets none`() throws {
        try withServer { server in
            let client = try HTTP2Client(port: server.port)
            client.sendHead(stream: 1, path: "/at-once")
            #expect(try client.frame(type: HTTP2Client.data)?.payload == Array("ok".utf8))
            client.sendHead(stream: 3, path: "/nothing")
            let body = try #require(try client.frame(type: HTTP2Client.data))
            #expect(String(decoding: body.payload, as: UTF8.self).contains("without an answer"))
        }
    }

    @Test func `trailers end the stream after the body`() throws {
        try withServer { server in
            let client = try HTTP2Client(port: server.port)
            client.sendHead(stream: 1, method: "POST", path: "/trailers", ends: false)
            client.send(type: HTTP2Client.data, flags: HTTP2Client.endStream, stream: 1, Array("body".utf8))
            #expect(try client.frame(type: HTTP2Client.headers)?.flags == HTTP2Client.endHeaders)
            #expect(try client.frame(type: HTTP2Client.data)?.flags == 0)
            let trailers = try client.frame(type: HTTP2Client.headers)
            #expect(trailers?.flags == HTTP2Client.endHeaders | HTTP2Client.endStream)
        }
    }

    @Test func `trailers follow an empty body`() throws {
        try withServer { server in
            let client = try HTTP2Client(port: server.port)
            client.sendHead(stream: 1, method: "POST", path: "/trailers")
            #expect(try client.frame(type: HTTP2Client.headers)?.flags == HTTP2Client.endHeaders)
            let trailers = try client.frame(type: HTTP2Client.headers)
            #expect(trailers?.flags == HTTP2Client.endHeaders | HTTP2Client.endStream)
        }
    }

    @Test(arguments: [(200, true), (1, false)])
    func `a body has longer where it keeps up the minimum rate`(_ pieceByteCount: Int, _ passes: Bool) throws
    {
        try withServer({
            $0.limits.bodyTimeoutSeconds = 0.3
            $0.limits.lingerTimeoutSeconds = 0.1
            $0.limits.minimumBodyBytesPerSecond = 1000
        }) { server in
            let client = try HTTP2Client(port: server.port)
            client.sendHead(stream: 1, method: "POST", path: "/echo", ends: false)
            // 4000 bytes a second or 20 for twice the time.
            let piece = [UInt8](repeating: 120, count: pieceByteCount)
            for _ in 0..<12 {
                client.send(type: HTTP2Client.data, flags: 0, stream: 1, piece)
                usleep(50_000)
            }
            client.send(type: HTTP2Client.data, flags: HTTP2Client.endStream, stream: 1, piece)
            // The text of a refusal has another length.
            let answer = try #require(try client.frame(type: HTTP2Client.data))
            #expect((answer.payload.count == 13 * pieceByteCount) == passes)
        }
    }

    @Test(arguments: [(3, "hello"), (9, "hello")])
    func `a body that differs from its content-length resets the stream`(_ length: Int, _ body: String) throws
    {
        try withServer { server in
            let client = try HTTP2Client(port: server.port)
            client.sendHead(
                stream: 1, method: "POST", path: "/echo", fields: [("content-length", "\(length)")],
                ends: false)
            client.send(type: HTTP2Client.data, flags: HTTP2Client.endStream, stream: 1, Array(body.utf8))
            #expect(try client.frame(type: HTTP2Client.reset)?.errorCode == 1)
            client.sendHead(stream: 3, path: "/")
            #expect(try client.frame(type: HTTP2Client.data)?.stream == 3)
        }
    }

    @Test func `a body too large is answered early and its stream reset without an error`() throws {
        try withServer({ $0.limits.maximumBodyByteCount = 100 }) { server in
            let client = try HTTP2Client(port: server.port)
            client.sendHead(
                stream: 1, method: "POST", path: "/echo", fields: [("content-length", "101")], ends: false)
            let body = try client.frame(type: HTTP2Client.data)
            #expect(body.map { String(decoding: $0.payload, as: UTF8.self) }?.contains("100 bytes") == true)
            #expect(try client.frame(type: HTTP2Client.reset)?.errorCode == 0)
        }
    }

    @Test(arguments: [[], [("expect", "100-continue")]])
    func `a request that its head decides is answered before its body comes`(_ fields: [(String, String)])
        throws
    {
        try withServer({ $0.limits.maximumBufferedByteCount = 1000 }) { server in
            let client = try HTTP2Client(port: server.port)
            client.sendHead(stream: 1, method: "POST", path: "/refused", fields: fields, ends: false)
            client.send(
                type: HTTP2Client.data, flags: 0, stream: 1, [UInt8](repeating: 65, count: 10_000))
            #expect(try client.frame(type: HTTP2Client.headers)?.stream == 1)
            let body = try client.frame(type: HTTP2Client.data)
            #expect(body.map { String(decoding: $0.payload, as: UTF8.self) } == "no http2")
            #expect(try client.frame(type: HTTP2Client.reset)?.errorCode == 0)
            client.sendHead(stream: 3, path: "/")
            #expect(try client.frame(type: HTTP2Client.data)?.stream == 3)
        }
    }

    @Test func `the holder of a responder learns of a reset stream`() throws {
        let handler = CountingHandler()
        try withServer(handler: handler) { server in
            let client = try HTTP2Client(port: server.port)
            client.sendHead(stream: 1, path: "/")
            while handler.waitingCount == 0 { usleep(1000) }
            #expect(!handler.isNextClientGone)
            client.send(type: HTTP2Client.reset, flags: 0, stream: 1, Self.cancel)
            for _ in 0..<1000 where !handler.isNextClientGone { usleep(1000) }
            #expect(handler.isNextClientGone)
            handler.answerNext()
        }
    }

    @Test func `a client that closes while it waits is found gone`() throws {
        let handler = CountingHandler()
        try withServer(handler: handler) { server in
            let client = try HTTP2Client(port: server.port)
            client.sendHead(stream: 1, path: "/")
            handler.waitForRequest()
            client.leave()
            #expect(handler.comesToSeeClientGone())
            handler.answerNext()
        }
    }

    @Test func `a client that has ended its side still gets its answers`() throws {
        let handler = CountingHandler()
        try withServer(handler: handler) { server in
            let client = try HTTP2Client(port: server.port)
            client.sendHead(stream: 1, path: "/")
            client.endOutput()
            #expect(try client.frame(type: HTTP2Client.ping)?.flags == 0)
            handler.answerNext()
            #expect(try client.frame(type: HTTP2Client.data)?.stream == 1)
        }
    }

    @Test func `a client that resets streams beyond the limit is sent away`() throws {
        try withServer({
            $0.limits.streamResetBurst = 10
            $0.limits.streamResetsPerSecond = 0
        }) { server in
            let client = try HTTP2Client(port: server.port)
            for index in 0..<10 {
                client.sendHead(stream: UInt32(2 * index + 1), path: "/slow")
                client.send(type: HTTP2Client.reset, flags: 0, stream: UInt32(2 * index + 1), Self.cancel)
            }
            client.sendHead(stream: 101, path: "/")
            #expect(try client.frame(type: HTTP2Client.data)?.stream == 101)
            client.sendHead(stream: 103, path: "/slow")
            client.send(type: HTTP2Client.reset, flags: 0, stream: 103, Self.cancel)
            #expect(try client.frame(type: HTTP2Client.goAway)?.errorCode == 11)
            while try client.frame() != nil {}
        }
    }

    @Test func `a header list far beyond the limit ends the connection`() throws {
        try withServer({ $0.limits.maximumHeaderByteCount = 100 }) { server in
            let client = try HTTP2Client(port: server.port)
            let long = String(repeating: "x", count: 1000)
            client.sendHead(stream: 1, path: "/", fields: (0..<12).map { ("x\($0)", long) })
            #expect(try client.frame(type: HTTP2Client.goAway)?.errorCode == 11)
        }
    }

    @Test func `an idle connection is told and closed`() throws {
        try withServer({ $0.limits.idleTimeoutSeconds = 0.1 }) { server in
            let client = try HTTP2Client(port: server.port)
            #expect(try client.frame(type: HTTP2Client.goAway)?.errorCode == 0)
            #expect(try client.frame() == nil)
        }
    }

    @Test func `a body that does not end is answered with 408`() throws {
        try withServer({ $0.limits.bodyTimeoutSeconds = 0.1 }) { server in
            let client = try HTTP2Client(port: server.port)
            client.sendHead(stream: 1, method: "POST", path: "/echo", ends: false)
            let body = try client.frame(type: HTTP2Client.data)
            #expect(body.map { String(decoding: $0.payload, as: UTF8.self) }?.contains("too long") == true)
        }
    }

    @Test func `bytes that are no frames end the connection`() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET / HTTP/1.1\r\n\r\n")
            while try !client.readByteChunk().isEmpty {}
        }
    }

    @Test(.enabled(if: ClientTool.curl != nil, "curl is not installed"))
    func `curl gets a large body back over cleartext HTTP/2`() throws {
        try withServer { server in
            let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let result = try ClientTool.curl!.run(
                [
                    "-s", "--http2-prior-knowledge", "--data-binary", "@-",
                    "http://127.0.0.1:\(server.port)/echo",
                ], input: body)
            #expect(result.status == 0)
            #expect(result.bytes == body)
        }
    }

    @Test(
        .enabled(if: ClientTool.curl != nil, "curl is not installed"),
        arguments: [
            (["-H", "expect: tea", "-d", "x"], 417), (["-d", String(repeating: "x", count: 70_000)], 413),
            (["-X", "CONNECTX"], 200), (["-I"], 200),
            (["-H", "x: \(String(repeating: "y", count: 20_000))"], 431),
            (["-H", "expect: 100-continue", "-d", "x"], 200),
        ])
    func `curl sees the statuses of HTTP/1 over HTTP/2`(_ arguments: [String], _ status: Int) throws {
        try withServer({ $0.limits.maximumBodyByteCount = 60_000 }) { server in
            let result = try ClientTool.curl!.run(
                arguments + [
                    "-s", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--http2-prior-knowledge",
                    "http://127.0.0.1:\(server.port)/",
                ])
            #expect(result.output == "2 \(status)")
        }
    }

    @Test(.enabled(if: ClientTool.h2load != nil, "h2load is not installed"))
    func `h2load gets an answer to every stream`() throws {
        try withServer({ $0.loopCount = 2 }) { server in
            let result = try ClientTool.h2load!.run(
                ["-n", "2000", "-c", "4", "-m", "50", "http://127.0.0.1:\(server.port)/zeros?20000"])
            #expect(result.output.contains("2000 succeeded, 0 failed"))
        }
    }
}
