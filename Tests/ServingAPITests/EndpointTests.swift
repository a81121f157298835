import HTTPServer
import HTTPTypes
import ServingAPI
import Testing

@Suite struct EndpointTests {
    private let service: TestService

    init() throws { service = try TestService() }

    @Test func `tells the server's name, version and true extensions`() {
        let response = service.get("/v2")
        #expect(
            response.text
                == #"{"name":"foldserve","version":"1.2.3","extensions":["binary_tensor_data","#
                + #""classification","model_configuration","statistics"]}"#
        )
        #expect(response.headers[.contentType] == "application/json")
    }

    @Test func `lives, and is not ready while a model is broken`() {
        #expect(service.get("/v2/health/live").text == #"{"live":true}"#)
        let ready = service.get("/v2/health/ready")
        #expect(ready.status.code == 503)
        #expect(ready.errorMessage?.hasPrefix("model 'broken' is not ready: version 3: ") == true)
    }

    @Test func `lists all models`() {
        #expect(service.get("/v2/models").text == #"{"models":["broken","half","m","open","pair"]}"#)
    }

    @Test func `describes a model with open axes as -1, its labels and its card`() {
        let expected =
            #"{"name":"m","versions":["1","2"],"platform":"test_onnx","#
            + #""inputs":[{"name":"x","datatype":"FP32","shape":[-1,4]}],"#
            + #""outputs":[{"name":"y","datatype":"FP32","shape":[-1,4]}],"#
            + #""labels":["zero","one","two","three"],"card":{"by":"us"}}"#
        #expect(service.get("/v2/models/m").text == expected)
        #expect(service.get("/v2/models/m/versions/1").text == expected)
    }

    @Test func `tells whether a model or a version is ready`() {
        #expect(service.get("/v2/models/m/ready").text == #"{"name":"m","ready":true}"#)
        #expect(service.get("/v2/models/m/versions/1/ready").text == #"{"name":"m","ready":true}"#)
        #expect(service.get("/v2/models/broken/ready").status.code == 503)
        #expect(service.get("/v2/models/broken/versions/3/ready").status.code == 503)
    }

    @Test(arguments: ["", "/ready", "/fold", "/graph", "/versions/1", "/versions/1/ready"])
    func `an unknown model is 404 with its text`(_ suffix: String) {
        let response = service.get("/v2/models/z" + suffix)
        #expect(response.status.code == 404)
        #expect(response.errorMessage == "Request for unknown model: 'z' is not found")
    }

    @Test(arguments: ["9", "0", "01", "99999999999999999999999"])
    func `an unknown version is 404 with its text`(_ version: String) {
        let response = service.get("/v2/models/m/versions/\(version)")
        #expect(response.status.code == 404)
        #expect(response.errorMessage == "Request for unknown model: 'm' version \(version) is not found")
    }

    @Test func `a model that is not ready answers 503 everywhere`() {
        for suffix in ["", "/fold", "/graph"] {
            #expect(service.get("/v2/models/broken" + suffix).status.code == 503)
        }
        #expect(service.send(.post, "/v2/models/broken/infer").status.code == 503)
    }

    @Test func `the fold report names its model, and is made once`() throws {
        let first = service.get("/v2/models/m/fold")
        #expect(first.json["name"] as? String == "m")
        #expect(first.json["version"] as? String == "2")
        let report = try #require(first.json["report"] as? [String: Any])
        #expect(report["entries"] != nil)
        #expect(service.get("/v2/models/m/fold").body == first.body)
    }

    @Test func `the graph shows nodes, values and steps`() throws {
        let graph = service.get("/v2/models/m/graph").json
        let before = try #require(graph["before"] as? [String: Any])
        let node = try #require((before["nodes"] as? [[String: Any]])?.first)
        #expect(node["type"] as? String == "Affine")
        let output = try #require((node["outputs"] as? [[String: Any]])?.first)
        #expect(output["shape"] as? [Int] == [-1, 4])
        #expect(output["datatype"] as? String == "FP32")
        #expect(before["weights"] as? [Any] != nil && before["weight_byte_size"] as? Int == 0)
        #expect(graph["after"] != nil)
        let execution = try #require(graph["execution"] as? [String: Any])
        #expect((execution["steps"] as? [Any])?.isEmpty == false)
    }

    @Test func `metrics count what was asked`() {
        _ = service.infer(#"{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}"#)
        _ = service.get("/v2/models/z")
        _ = service.get("/nowhere")
        let response = service.get("/metrics")
        #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        for line in [
            #"foldserve_requests_total{model="m",endpoint="infer",status="200"} 1"#,
            #"foldserve_requests_total{model="",endpoint="model_metadata",status="404"} 1"#,
            #"foldserve_requests_total{model="",endpoint="none",status="404"} 1"#,
            "foldserve_requests_in_flight 1", "foldserve_models 5", "foldserve_models_ready 4",
            #"foldserve_inference_requests_total{model="m",version="2",outcome="success"} 1"#,
            #"foldserve_queue_depth{model="m",version="2"} 0"#,
        ] {
            #expect(response.text.contains(line + "\n"), "\(line)")
        }
    }

    @Test func `the server's own refusals have the same shape`() {
        let response = service.handler.errorResponse(
            status: .init(code: 431), message: "too \"long\"\n", requestContentType: nil)
        #expect(response.status.code == 431 && response.errorMessage == "too \"long\"\n")
    }
}
