import HTTPServer
import Logging
import Testing

@Suite struct ServerTests {
    @Test func `a port in use is said`() throws {
        try withServer { server in
            let error = error(ServerConfiguration(host: "127.0.0.1", port: server.port))
            guard case .cannotListen("127.0.0.1", server.port, _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(error?.description.contains("Address already in use") == true)
        }
    }

    @Test(arguments: [
        (ServerConfiguration(host: "nowhere"), ServerError.invalidHost("nowhere")),
        (ServerConfiguration(host: "127.0.0.1", port: 65_536), .invalidPort(65_536)),
        (ServerConfiguration(host: "127.0.0.1", port: -1), .invalidPort(-1)),
        (ServerConfiguration(host: "127.0.0.1", loopCount: 0), .invalidLoopCount(0)),
    ])
    func `what cannot be configured is refused`(_ configuration: ServerConfiguration, _ expected: ServerError)
    {
        #expect(error(configuration) == expected)
    }

    @Test func `limits under which nothing could be served are refused`() {
        var configuration = ServerConfiguration(host: "127.0.0.1")
        configuration.limits.maximumConnections = 0
        #expect(error(configuration) == .invalidLimit(name: "maximumConnections", value: "0"))
        configuration.limits = Limits()
        configuration.limits.idleTimeoutSeconds = .nan
        #expect(error(configuration) == .invalidLimit(name: "idleTimeoutSeconds", value: "nan"))
    }

    @Test(arguments: ["127.0.0.1", "localhost", "::1", "[::1]", "0.0.0.0", "::"])
    func `a host is an address or localhost`(_ host: String) throws {
        try withServer({ $0.host = host }) { server in
            #expect((1...65_535).contains(server.port))
        }
    }

    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ])
    func `a date is written as RFC 9110 says`(_ seconds: Int, _ text: String) {
        #expect(HTTPDate.text(secondsSinceEpoch: seconds) == text)
    }

    private func error(_ configuration: ServerConfiguration) -> ServerError? {
        do throws(ServerError) {
            _ = try Server(
                configuration: configuration, handler: EchoHandler(), logger: Logger(label: "http-tests"))
            return nil
        } catch {
            return error
        }
    }
}
