import HTTPServer
import HTTPTypes
import ServingAPI
import Testing

@Suite struct StatisticsTests {
    private let service: TestService

    init() throws { service = try TestService() }

    private func infer(_ shape: String, _ data: String) {
        _ = service.infer(
            #"{"inputs":[{"name":"x","shape":\#(shape),"datatype":"FP32","data":\#(data)}]}"#)
    }

    private func only(_ path: String) -> [String: Any] {
        let models = service.get(path).json["model_stats"] as? [[String: Any]] ?? []
        return models.count == 1 ? models[0] : [:]
    }

    private func count(_ durations: Any?, _ name: String) -> Int? {
        ((durations as? [String: Any])?[name] as? [String: Any])?["count"] as? Int
    }

    @Test func `requests move the counts of their version and batch size`() {
        #expect(only("/v2/models/m/versions/2/stats")["inference_count"] as? Int == 0)
        infer("[1,4]", "[1,2,3,4]")
        infer("[2,4]", "[1,2,3,4,5,6,7,8]")
        infer("[2,4]", "[1,2,3,4,5,6,7,8]")
        infer("[2,4]", "[1]")
        let after = only("/v2/models/m/versions/2/stats")
        #expect(after["name"] as? String == "m" && after["version"] as? String == "2")
        #expect(after["inference_count"] as? Int == 5)
        #expect(after["execution_count"] as? Int == 3)
        #expect((after["last_inference"] as? Int ?? 0) > 1_600_000_000_000)
        for name in ["success", "queue", "compute_input", "compute_infer", "compute_output"] {
            #expect(count(after["inference_stats"], name) == 3, "\(name)")
        }
        #expect(count(after["inference_stats"], "cache_hit") == 0)
        let batches = after["batch_stats"] as? [[String: Any]] ?? []
        #expect(batches.map { $0["batch_size"] as? Int } == [1, 2])
        #expect(batches.map { count($0, "compute_infer") } == [1, 2])
        #expect(only("/v2/models/m/versions/1/stats")["inference_count"] as? Int == 0)
    }

    @Test func `all versions that are served are listed, of one model or of all`() {
        let names = { (path: String) in
            (service.get(path).json["model_stats"] as? [[String: Any]])?.map { $0["name"] as? String }
        }
        #expect(names("/v2/models/m/stats") == ["m", "m"])
        #expect(names("/v2/models/stats") == ["half", "m", "m", "open", "pair"])
        #expect(service.get("/v2/models/z/stats").status.code == 404)
        #expect(service.get("/v2/models/broken/stats").status.code == 503)
    }

    @Test func `a configuration leaves the batch axis out`() {
        #expect(
            service.get("/v2/models/m/config").text
                == #"{"name":"m","platform":"test_onnx","backend":"foldserve","version_policy":{"all":{}},"#
                + #""max_batch_size":8,"input":[{"name":"x","data_type":"TYPE_FP32","format":"FORMAT_NONE","#
                + #""dims":[4],"is_shape_tensor":false,"allow_ragged_batch":false,"optional":false}],"#
                + #""output":[{"name":"y","data_type":"TYPE_FP32","dims":[4],"label_filename":"","#
                + #""is_shape_tensor":false}],"dynamic_batching":{"preferred_batch_size":[],"#
                + #""max_queue_delay_microseconds":0},"instance_group":[{"name":"m_0","kind":"KIND_CPU","count":1}],"#
                + #""model_transaction_policy":{"decoupled":false},"response_cache":{"enable":false},"#
                + #""parameters":{}}"#)
        let pair = service.get("/v2/models/pair/config").json
        #expect(pair["max_batch_size"] as? Int == 0)
        #expect((pair["input"] as? [[String: Any]])?.map { $0["dims"] as? [Int] } == [[2], [-1]])
    }
}
