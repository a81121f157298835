import Foundation
import HTTPServer
import HTTPTypes
import Logging
import ServingAPI
import Testing
import Threads

@Suite struct ObservabilityTests {
    /// What a server logs, at every level.
    private final class Lines: Sendable {
        private let lines = Lock<[String]>([])

        var logger: Logger {
            var logger = Logger(label: "test") { label in
                JSONLogHandler(label: label) { line in
                    self.lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
                }
            }
            logger.logLevel = .trace
            return logger
        }

        var all: [String] { lines.withLock { $0 } }

        /// The members of the last line, which is one JSON object.
        var last: [String: String] {
            let object = all.last.flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) }
            return object as? [String: String] ?? [:]
        }
    }

    private static let identifier = HTTPField.Name("x-request-id")!
    private static let body =
        #"{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}"#

    private func infer(_ service: TestService, identifier: String? = nil) -> ServerResponse {
        var headers: HTTPFields = [:]
        headers[Self.identifier] = identifier
        return service.send(.post, "/v2/models/m/infer", body: Array(Self.body.utf8), headers: headers)
    }

    @Test(arguments: [
        "a", "0b7c1d2e-99aa-4d2b-8f00-1234567890ab", "Root=1-67891233-abcdef012345678912345678",
        "user@host:80/x_y.z~+", String(repeating: "i", count: 128),
    ])
    func `a request keeps its identifier`(_ identifier: String) throws {
        let service = try TestService()
        #expect(infer(service, identifier: identifier).headers[Self.identifier] == identifier)
        let headers: HTTPFields = [Self.identifier: identifier]
        #expect(service.send(.get, "/v2", headers: headers).headers[Self.identifier] == identifier)
        let refused = service.send(.get, "/nowhere", headers: headers)
        #expect(refused.headers[Self.identifier] == identifier)
        let call = service.call("ServerLive", ProtobufMessage().framed(), headers: headers)
        #expect(call.headers[Self.identifier] == identifier)
    }

    @Test(arguments: [
        nil, "", "two words", "li\u{7F}ne", "<script>", "a\"b", "{}", "é", "a;b", "a,b",
        String(repeating: "i", count: 129),
    ])
    func `one that is none, or more than that, is replaced by a new one`(_ identifier: String?) throws {
        let service = try TestService()
        let first = try #require(infer(service, identifier: identifier).headers[Self.identifier])
        let second = try #require(infer(service, identifier: identifier).headers[Self.identifier])
        #expect(first != second && first != identifier && !first.isEmpty)
        #expect(service.get("/nowhere").headers[Self.identifier] != nil)
        #expect(service.get("/v2/health/live").headers[Self.identifier] == nil)
    }

    @Test func `predictions say how long their phases took and what answered`() throws {
        let service = try TestService()
        let timing = try #require(infer(service).headers[.init("server-timing")!])
        let phase =
            #/read;dur=\d+\.\d{3}, queue;dur=\d+\.\d{3}, compute;dur=\d+\.\d{3}, serialise;dur=\d+\.\d{3}/#
        #expect(timing.wholeMatch(of: phase) != nil, "\(timing)")
        let digest = try #require(infer(service).headers[.init("foldserve-model-digest")!])
        #expect(digest.wholeMatch(of: #/[0-9a-f]{64}/#) != nil, "\(digest)")
        let fold = try #require(service.get("/v2/models/m/fold").json["report"] as? [String: Any])
        #expect(fold["modelDigest"] as? String == digest)
        #expect(
            service.get("/metrics").text.contains(
                #"foldserve_model_info{model="m",version="2",platform="test_onnx",model_digest="\#(digest)","#
                    + #"fold_digest="\#(fold["foldDigest"] as? String ?? "none")"} 1"#))
        let predicted = service.send(
            .post, "/v1/models/m:predict", body: Array(#"{"instances":[[1,2,3,4]]}"#.utf8))
        #expect(predicted.headers[.init("foldserve-model-digest")!] == digest)
        #expect(predicted.headers[.init("server-timing")!] != nil)
        #expect(service.get("/v2/models/m").headers[.init("server-timing")!] == nil)
    }

    @Test func `what is not wanted is not told`() throws {
        var observability = Observability()
        observability.hasServerTiming = false
        observability.hasTritonNames = true
        let service = try TestService(observability: observability, makesDigests: false)
        let response = infer(service)
        #expect(response.status == .ok)
        #expect(response.headers[.init("server-timing")!] == nil)
        #expect(response.headers[.init("foldserve-model-digest")!] == nil)
        let metrics = service.get("/metrics").text
        for line in [
            #"nv_inference_request_success{model="m",version="2"} 1"#,
            #"nv_inference_request_failure{model="m",version="2",reason="REJECTED"} 0"#,
            #"nv_inference_pending_request_count{model="m",version="2"} 0"#,
            #"foldserve_model_info{model="m",version="2",platform="test_onnx",model_digest="",fold_digest=""} 1"#,
        ] {
            #expect(metrics.contains(line + "\n"), "\(line)")
        }
        #expect(try !TestService().get("/metrics").text.contains("nv_"))
    }

    @Test func `a request that fails is one line, without its query`() throws {
        let lines = Lines()
        let service = try TestService(logger: lines.logger)
        #expect(infer(service).status == .ok && lines.all.isEmpty)
        let response = service.send(
            .post, "/v2/models/m/infer?token=secret", body: Array(#"{"inputs":[{"name":"\n"}]}"#.utf8),
            headers: [Self.identifier: "abc"])
        #expect(response.status.code == 400 && lines.all.count == 1)
        #expect(lines.all[0].hasSuffix("}\n") && lines.all[0].dropLast().allSatisfy { !$0.isNewline })
        #expect(!lines.all[0].contains("secret"))
        let line = lines.last
        #expect(line["level"] == "debug" && line["message"] == "request failed" && line["logger"] == "test")
        #expect(line["request"] == "abc" && line["status"] == "400" && line["method"] == "POST")
        #expect(line["path"] == "/v2/models/m/infer" && line["error"] == "input ' ' has no 'datatype'")
        #expect(line["milliseconds"].flatMap(Double.init) != nil)
        #expect(line["time"]?.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/#) != nil)
        _ = service.call("ModelInfer", ProtobufMessage().adding(1, "z").framed())
        #expect(lines.all.count == 2 && lines.last["status"] == "404")
        let refused = service.handler.errorResponse(
            status: .init(code: 431), message: "too\r\nlong", requestContentType: nil)
        #expect(lines.last["error"] == "too  long")
        #expect(lines.last["request"] == refused.headers[Self.identifier])
    }

    @Test func `a client's text in the log is bounded`() throws {
        let lines = Lines()
        let service = try TestService(logger: lines.logger)
        _ = service.get("/" + String(repeating: "a\u{1B}[2J", count: 1000))
        #expect(lines.all.count == 1 && (lines.all.first?.utf8.count ?? 0) < 2000)
        #expect(lines.last["path"]?.contains("\u{1B}") == false)
    }

    @Test func `phases and batches have histograms, and memory its figures`() throws {
        let service = try TestService()
        _ = infer(service)
        let wide =
            #"{"inputs":[{"name":"x","shape":[3,4],"datatype":"FP32","data":[1,2,3,4,1,2,3,4,1,2,3,4]}]}"#
        _ = service.infer(wide)
        let metrics = service.get("/metrics").text
        let labels = #"model="m",version="2""#
        for phase in ["read", "queue", "compute", "serialise"] {
            #expect(metrics.contains("foldserve_\(phase)_duration_seconds_count{\(labels)} 2\n"), "\(phase)")
        }
        for line in [
            "foldserve_batch_size_bucket{\(labels),le=\"1\"} 1", "foldserve_batch_size_sum{\(labels)} 4",
            "foldserve_batch_size_bucket{\(labels),le=\"4\"} 2", "foldserve_queue_depth{\(labels)} 0",
            "foldserve_inference_items_total{\(labels)} 4", "foldserve_executions_total{\(labels)} 2",
            "foldserve_inference_requests_total{\(labels),outcome=\"success\"} 2",
        ] {
            #expect(metrics.contains(line + "\n"), "\(line)")
        }
        let arena = metrics.split(separator: "\n").first {
            $0.hasPrefix("foldserve_model_arena_bytes{\(labels)} ")
        }
        let byteCount = try #require(arena.flatMap { Int($0.split(separator: " ")[1]) })
        #expect(byteCount > 0)
        let models = service.get("/v2/models/m/versions/2/stats").json["model_stats"] as? [[String: Any]]
        let usage = try #require((models?.first?["memory_usage"] as? [[String: Any]])?.first)
        #expect(usage["type"] as? String == "CPU" && (usage["byte_size"] as? Int ?? 0) >= byteCount)
    }
}
