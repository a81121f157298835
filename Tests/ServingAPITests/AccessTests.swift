import Foundation
import HTTPTypes
import ServingAPI
import Testing

@Suite final class AccessTests {
    private static let tokens = [
        "predict": "predict-0123456789", "introspect": "introspect-0123456789",
        "metrics": "metrics-0123456789", "admin": "admin-0123456789",
    ]
    private let folder = FileManager.default.temporaryDirectory.appending(
        path: "foldserve-access-\(UUID().uuidString)")
    private let policy: AccessPolicy
    private let service: TestService

    init() throws {
        let lines = Self.tokens.map { "\($0.value) \($0.key)" }
        try lines.joined(separator: "\n").write(to: folder, atomically: true, encoding: .utf8)
        policy = try AccessPolicy(path: folder.path)
        service = try TestService(access: policy)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func headers(_ authorization: String?) -> HTTPFields {
        var fields: HTTPFields = [:]
        if let authorization { fields[.authorization] = authorization }
        return fields
    }

    private func status(_ method: String, _ path: String, scope: String?) -> Int {
        let authorization = scope.map { "Bearer \(Self.tokens[$0] ?? "")" }
        return service.send(HTTPRequest.Method(method)!, path, headers: headers(authorization)).status.code
    }

    @Test(arguments: [
        ("GET", "/v2/health/live", ""), ("GET", "/v2/health/ready", ""),
        ("GET", "/v2", "predict introspect"), ("GET", "/v2/models", "predict introspect"),
        ("GET", "/v2/models/m", "predict introspect"), ("GET", "/v2/models/m/ready", "predict introspect"),
        ("GET", "/v2/models/m/config", "predict introspect"),
        ("POST", "/v2/models/m/infer", "predict"), ("POST", "/v2/models/m/versions/1/infer", "predict"),
        ("GET", "/v2/models/m/fold", "introspect"), ("GET", "/v2/models/m/graph", "introspect"),
        ("GET", "/v2/models/m/stats", "introspect"), ("GET", "/v2/models/stats", "introspect"),
        ("POST", "/v2/repository/index", "introspect admin"), ("GET", "/metrics", "metrics"),
        ("POST", "/v1/models/m:predict", "predict"), ("POST", "/v1/models/m:classify", "predict"),
        ("GET", "/v1/models", "predict introspect"), ("GET", "/v1/models/m", "predict introspect"),
        ("GET", "/v1/models/m/metadata", "predict introspect"), ("GET", "/", ""),
        ("POST", "/v2/repository/models/m/load", "admin"),
        ("POST", "/v2/repository/models/m/unload", "admin"),
    ])
    func `a path opens to its scopes alone`(_ method: String, _ path: String, _ scopes: String) {
        let isOpen = scopes.isEmpty
        #expect((status(method, path, scope: nil) == 401) == !isOpen)
        for scope in Self.tokens.keys {
            let isRefused = status(method, path, scope: scope) == 403
            #expect(
                isRefused == !(isOpen || scopes.split(separator: " ").contains { $0 == scope }), "\(scope)")
        }
    }

    @Test(arguments: [
        nil, "", "Bearer", "Bearer ", "Bearer  ", "Basic cHJlZGljdA==", "predict-0123456789",
        "Bearer predict-012345678", "Bearer predict-01234567890", "Bearer predict-0123456789 x",
        "Bearer predict-0123456789, Bearer x", "Bearer PREDICT-0123456789", "Token predict-0123456789",
        "Bearer \u{e9}\u{e9}\u{e9}", "Bearerpredict-0123456789",
    ])
    func `anything but a known token is asked for one`(_ authorization: String?) {
        let response = service.send(.get, "/v2", headers: headers(authorization))
        #expect(response.status.code == 401)
        #expect(response.headers[.wwwAuthenticate] == "Bearer")
        #expect(response.errorMessage?.contains("bearer token") == true)
    }

    @Test(arguments: [
        "Bearer predict-0123456789", "bearer predict-0123456789", "BEARER   predict-0123456789",
    ])
    func `the scheme is known in any case`(_ authorization: String) {
        #expect(service.send(.get, "/v2", headers: headers(authorization)).status.code == 200)
    }

    @Test func `a missing scope is named and says no more`() {
        let response = service.send(
            .get, "/metrics", headers: headers("Bearer \(Self.tokens["predict"]!)"))
        #expect(response.status.code == 403)
        #expect(response.errorMessage == "the bearer token does not open the scope metrics")
    }

    @Test func `gRPC has codes of its own, and its health is open`() {
        let empty = ProtobufMessage().framed()
        let named = ProtobufMessage().adding(1, "m").framed()
        #expect(service.call("ModelInfer", named).grpcStatus == 16)
        #expect(service.call("RepositoryModelLoad", empty).grpcStatus == 16)
        let metrics = headers("Bearer \(Self.tokens["metrics"]!)")
        #expect(service.call("ModelInfer", named, headers: metrics).grpcStatus == 7)
        #expect(service.call("ModelStatistics", named, headers: metrics).grpcStatus == 7)
        let introspect = headers("Bearer \(Self.tokens["introspect"]!)")
        #expect(service.call("ModelStatistics", named, headers: introspect).grpcStatus == 0)
        for method in ["ServerLive", "ServerReady"] {
            #expect(service.call(method, empty).grpcStatus == 0)
        }
        #expect(service.call("Check", empty, service: "grpc.health.v1.Health").grpcStatus == 0)
    }

    @Test func `a head without a token is refused before its body comes, and counted`() throws {
        let predict = headers("Bearer \(Self.tokens["predict"]!)")
        let path = "/v2/models/m/infer"
        let early = try #require(service.early(.post, path))
        #expect(early.status.code == 401 && early.headers[.wwwAuthenticate] == "Bearer")
        #expect(early.headers[.init("x-request-id")!] != nil)
        #expect(service.early(.post, path, headers: headers("Bearer not-0123456789")) != nil)
        #expect(service.early(.post, "/v2/repository/index", headers: predict)?.status.code == 403)
        #expect(service.early(.post, path, headers: predict) == nil)
        // What leads nowhere needs no body either.
        #expect(service.early(.post, "/nowhere", headers: predict)?.status.code == 404)
        #expect(service.early(.put, path, headers: predict)?.status.code == 405)

        var call = headers(nil)
        call[.contentType] = "application/grpc"
        let method = "/inference.GRPCInferenceService/ModelInfer"
        #expect(service.early(.post, method, headers: call)?.grpcStatus == 16)
        call[.authorization] = "Bearer \(Self.tokens["metrics"]!)"
        #expect(service.early(.post, method, headers: call)?.grpcStatus == 7)
        call[.authorization] = "Bearer \(Self.tokens["predict"]!)"
        #expect(service.early(.post, method, headers: call) == nil)

        let metrics = service.send(.get, "/metrics", headers: headers("Bearer \(Self.tokens["metrics"]!)"))
        for line in [
            #"foldserve_requests_total{model="m",endpoint="infer",status="401"} 2"#,
            #"foldserve_requests_total{model="",endpoint="grpc_model_infer",status="403"} 1"#,
            "foldserve_requests_in_flight 1",
        ] {
            #expect(metrics.text.contains(line + "\n"), "\(line)")
        }
    }

    @Test func `requests of the admin listener are counted under names of their own`() {
        let admin = service.handler.admin(service.services, access: policy)
        let asked = { [self] (path: String, scope: String?) in
            service.send(
                .post, path, headers: headers(scope.map { "Bearer \(Self.tokens[$0]!)" }), to: admin)
        }
        #expect(asked("/v2/repository/index", "admin").status.code == 200)
        #expect(asked("/v2/repository/models/m/load", nil).status.code == 401)
        #expect(asked("/v2/repository/models/m/load", "predict").status.code == 403)
        #expect(asked("/v2/models/m/infer", "predict").status.code == 404)
        let metrics = service.send(.get, "/metrics", headers: headers("Bearer \(Self.tokens["metrics"]!)"))
        for line in [
            #"foldserve_requests_total{model="",endpoint="admin_repository_index",status="200"} 1"#,
            #"foldserve_requests_total{model="m",endpoint="admin_repository_load",status="401"} 1"#,
            #"foldserve_requests_total{model="m",endpoint="admin_repository_load",status="403"} 1"#,
            #"foldserve_requests_total{model="",endpoint="none",status="404"} 1"#,
            #"foldserve_request_duration_seconds_count{model="",endpoint="admin_repository_index"} 1"#,
        ] {
            #expect(metrics.text.contains(line + "\n"), "\(line)")
        }
    }

    @Test func `tokens are read again, and a bad file changes nothing`() throws {
        let old = headers("Bearer \(Self.tokens["predict"]!)")
        let new = headers("Bearer another-0123456789")
        try "# renewed\n\nanother-0123456789 predict,metrics\r\n".write(
            to: folder, atomically: true, encoding: .utf8)
        try policy.reload()
        #expect(service.send(.get, "/v2", headers: old).status.code == 401)
        #expect(service.send(.get, "/v2", headers: new).status.code == 200)
        #expect(service.send(.get, "/metrics", headers: new).status.code == 200)
        for bad in ["", "another-0123456789", "short predict", "another-0123456789 predikt"] {
            try bad.write(to: folder, atomically: true, encoding: .utf8)
            #expect(throws: TokenTable.Invalid.self) { try policy.reload() }
        }
        try FileManager.default.removeItem(at: folder)
        #expect(throws: TokenTable.Invalid.self) { try policy.reload() }
        #expect(service.send(.get, "/v2", headers: new).status.code == 200)
    }

    @Test(arguments: [
        ("", "holds no token"), ("# only\n\n", "holds no token"),
        ("0123456789abcdef", "line 1: the token has no scope"),
        ("\n0123456789abcde predict", "line 2: the token has 15 characters, expected 16 to 512"),
        ("0123456789abcdef predikt", "line 1: unknown scope 'predikt'; did you mean 'predict'?"),
        ("0123456789abcd\u{e9} predict", "line 1: the token has characters other than visible ASCII"),
    ])
    func `a bad token file is refused by its line, without a token`(_ text: String, _ reason: String) {
        let error = #expect(throws: TokenTable.Invalid.self) { try TokenTable(Array(text.utf8)) }
        #expect(error?.reason == reason)
    }

    @Test func `tokens have bounds`() throws {
        let line = { (count: Int) in Array((String(repeating: "t", count: count) + " predict\n").utf8) }
        #expect(throws: Never.self) { try TokenTable(line(TokenTable.maximumTokenByteCount)) }
        #expect(throws: TokenTable.Invalid.self) {
            try TokenTable(line(TokenTable.maximumTokenByteCount + 1))
        }
        let lines = { (count: Int) in
            (0..<count).flatMap { Array("token-number-\(100_000 + $0) predict\n".utf8) }
        }
        #expect(throws: Never.self) { try TokenTable(lines(TokenTable.maximumTokenCount)) }
        #expect(throws: TokenTable.Invalid.self) { try TokenTable(lines(TokenTable.maximumTokenCount + 1)) }
    }
}
