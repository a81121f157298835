import Foundation
import HTTPServer
import Logging
import Testing

/// Files made by the openssl command, gone with the instance.
final class TestCertificate: Sendable {
    let directory: URL
    let certificatePath: String
    let keyPath: String

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        certificatePath = directory.appending(path: "certificate.pem").path
        keyPath = directory.appending(path: "key.pem").path
        let result = try ClientTool.openssl!.run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout",
            keyPath,
            "-out", certificatePath,
        ])
        guard result.status == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    var configuration: TLSConfiguration {
        TLSConfiguration(certificatePath: certificatePath, keyPath: keyPath)
    }
}

@Suite(
    .enabled(if: ClientTool.openssl != nil, "openssl is not installed"),
    .enabled(if: ClientTool.curl != nil, "curl is not installed"))
struct TLSTests {
    @Test(arguments: [
        ("--http1.1", "1.1"), ("--http2", "2"), ("--http2-prior-knowledge", "2"), ("--no-alpn", "1.1"),
    ])
    func `curl negotiates the protocol and gets a large body back`(_ flag: String, _ version: String) throws {
        let certificate = try TestCertificate()
        try withServer({ $0.tls = certificate.configuration }) { server in
            let body = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let result = try ClientTool.curl!.run(
                [
                    "-s", flag, "--cacert", certificate.certificatePath, "--data-binary", "@-", "-w",
                    "%{stderr}%{http_version}", "https://127.0.0.1:\(server.port)/echo",
                ], input: body)
            #expect(result.status == 0)
            #expect(result.errors == version)
            #expect(result.bytes == body)
        }
    }

    @Test(arguments: [
        (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], false), (["-tls1_2"], true), (["-tls1_3"], true),
        (["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"], false),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"], false),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"], true),
    ])
    func `only TLS 1.2 and 1.3 with AEAD suites are spoken`(_ arguments: [String], _ isSpoken: Bool) throws {
        let certificate = try TestCertificate()
        try withServer({ $0.tls = certificate.configuration }) { server in
            let result = try ClientTool.openssl!.run(
                ["s_client", "-connect", "127.0.0.1:\(server.port)", "-CAfile", certificate.certificatePath]
                    + arguments)
            #expect((result.status == 0) == isSpoken)
        }
    }

    @Test func `a client that never greets is closed when its time is up`() throws {
        let certificate = try TestCertificate()
        try withServer({
            $0.tls = certificate.configuration
            $0.limits.handshakeTimeoutSeconds = 0.1
        }) { server in
            let client = try RawClient(port: server.port)
            #expect(client.isClosedByServer())
        }
    }

    @Test func `plain text on a TLS port is closed`() throws {
        let certificate = try TestCertificate()
        try withServer({ $0.tls = certificate.configuration }) { server in
            let client = try RawClient(port: server.port)
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(throws: RawClient.Failure.self) { try client.answer() }
        }
    }

    @Test func `a client that asks for close sees close_notify`() throws {
        let certificate = try TestCertificate()
        try withServer({ $0.tls = certificate.configuration }) { server in
            let result = try ClientTool.curl!.run([
                "-sv", "--http1.1", "-H", "connection: close", "--cacert", certificate.certificatePath,
                "https://127.0.0.1:\(server.port)/",
            ])
            #expect(result.output == "ok")
            #expect(result.errors.contains("alert, close notify"))
        }
    }

    @Test func `unusable files are told apart`() throws {
        let first = try TestCertificate()
        let second = try TestCertificate()
        let certificatePath = first.certificatePath
        #expect(
            error(certificatePath, second.keyPath)
                == .keyDoesNotMatchCertificate(keyPath: second.keyPath, certificatePath: certificatePath))
        guard case .unusableCertificate("/nowhere", _) = error("/nowhere", first.keyPath) else {
            Issue.record("a missing certificate")
            return
        }
        guard case .unusableCertificate(first.keyPath, _) = error(first.keyPath, first.keyPath) else {
            Issue.record("a key as certificate")
            return
        }
        guard case .unusableKey("/nowhere", _) = error(certificatePath, "/nowhere") else {
            Issue.record("a missing key")
            return
        }
    }

    private func error(_ certificatePath: String, _ keyPath: String) -> ServerError? {
        let tls = TLSConfiguration(certificatePath: certificatePath, keyPath: keyPath)
        do throws(ServerError) {
            _ = try Server(
                configuration: ServerConfiguration(host: "127.0.0.1", tls: tls), handler: EchoHandler(),
                logger: Logger(label: "http-tests"))
            return nil
        } catch {
            return error
        }
    }
}
