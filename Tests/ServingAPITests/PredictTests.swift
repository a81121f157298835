import HTTPServer
import HTTPTypes
import ServingAPI
import Tensors
import Testing

@Suite struct PredictTests {
    private let service: TestService

    init() throws { service = try TestService() }

    private func predict(_ json: String, model: String = "m", version: String = "") -> ServerResponse {
        service.send(.post, "/v1/models/\(model)\(version):predict", body: Array(json.utf8))
    }

    @Test(arguments: [
        (#"{"instances":[[1,2,3,4]]}"#, #"{"predictions":[[2.0,4.0,6.0,8.0]]}"#),
        (
            #" { "instances" : [ [ 1.0 , 2e0,3,4 ] , [5,6,7,8] ] } "#,
            #"{"predictions":[[2.0,4.0,6.0,8.0],[10.0,12.0,14.0,16.0]]}"#
        ),
        (#"{"instances":[{"x":[1,2,3,4]}]}"#, #"{"predictions":[[2.0,4.0,6.0,8.0]]}"#),
        (
            #"{"instances":[{"x":[1,2,3,4]},{"x":[0,0,0,1]}],"more":{"x":[1]}}"#,
            #"{"predictions":[[2.0,4.0,6.0,8.0],[0.0,0.0,0.0,2.0]]}"#
        ),
        (#"{"inputs":[[1,2,3,4]]}"#, #"{"outputs":[[2.0,4.0,6.0,8.0]]}"#),
        (#"{"inputs":{"x":[[1,2,3,4]]}}"#, #"{"outputs":[[2.0,4.0,6.0,8.0]]}"#),
        (#"{"inputs":[]}"#, #"{"outputs":[]}"#),
        (
            #"{"signature_name":"serving_default","inputs":[[NaN,1,1,1]]}"#,
            #"{"outputs":[[null,2.0,2.0,2.0]]}"#
        ),
        (#"{"inputs":[[1,2,3,4]],"signature_name":null}"#, #"{"outputs":[[2.0,4.0,6.0,8.0]]}"#),
        (#"{"inputs":[[1,2,3,4]],"signature_name":""}"#, #"{"outputs":[[2.0,4.0,6.0,8.0]]}"#),
        // 1, 2, 3, 4 as float32.
        (#"{"instances":[{"b64":"AACAPwAAAEAAAEBAAACAQA=="}]}"#, #"{"predictions":[[2.0,4.0,6.0,8.0]]}"#),
        (#"{"instances":[{"x":{"b64":"AACAPwAAAEAAAEBAAACAQA"}}]}"#, #"{"predictions":[[2.0,4.0,6.0,8.0]]}"#),
        (#"{"inputs":{"b64":"AACAPwAAAEAAAEBAAACAQA=="}}"#, #"{"outputs":[[2.0,4.0,6.0,8.0]]}"#),
        (#"{"inputs":{"x":{"b64":"AACAPwAAAEAAAEBAAACAQA=="}}}"#, #"{"outputs":[[2.0,4.0,6.0,8.0]]}"#),
    ])
    func `takes rows and columns, with and without names`(_ body: String, _ answer: String) {
        let response = predict(body)
        #expect(response.text == answer)
        #expect(response.status == .ok && response.headers[.contentType] == "application/json")
    }

    @Test func `several outputs have names, item by item or tensor by tensor`() {
        #expect(
            predict(#"{"instances":[{"a":1,"b":true},{"b":0,"a":-2}]}"#, model: "pair").text
                == #"{"predictions":[{"c":1,"d":true},{"c":-2,"d":false}]}"#)
        #expect(
            predict(#"{"inputs":{"b":[1,0,true],"a":[1,2]}}"#, model: "pair").text
                == #"{"outputs":{"c":[1,2],"d":[true,false,true]}}"#)
    }

    @Test func `open axes take the extents that the lists have`() {
        #expect(
            predict(#"{"instances":[[1,2,3],[4,5,6]]}"#, model: "open").text
                == #"{"predictions":[[1,2,3],[4,5,6]]}"#)
        #expect(predict(#"{"instances":[[],[]]}"#, model: "open").text == #"{"predictions":[[],[]]}"#)
        #expect(predict(#"{"instances":[]}"#, model: "open").text == #"{"predictions":[]}"#)
        // Two int32 as bytes of each item.
        #expect(
            predict(#"{"instances":[{"b64":"AQAAAAIAAAA="},[3,4]]}"#, model: "open").text
                == #"{"predictions":[[1,2],[3,4]]}"#)
    }

    @Test func `a version answers for itself`() {
        #expect(predict(#"{"instances":[[1,2,3,4]]}"#, version: "/versions/1").status == .ok)
        #expect(predict(#"{"instances":[[1,2,3,4]]}"#, version: "/versions/9").status.code == 404)
    }

    @Test(arguments: [
        (#"{"instances":[[1,2,3]]}"#, "instances[0]: expected a list of 4, got 3"),
        (#"{"instances":[[1,2,3,4],[1,2,3,4,5]]}"#, "instances[1]: expected a list of 4, got more"),
        (#"{"instances":[[1,2,"3",4]]}"#, "instances[0][2]: expected a number (FP32), got a string"),
        (#"{"instances":[[1,2,null,4]]}"#, "instances[0][2]: expected a number (FP32), got null"),
        (#"{"instances":[[1,2,true,4]]}"#, "instances[0][2]: expected a number (FP32), got true"),
        (
            #"{"instances":[[1,2,1e999,4]]}"#,
            "instances[0][2]: expected a number in the range of FP32, got 1e999"
        ),
        (#"{"instances":[1,2,3,4]}"#, "instances[0]: expected a list of 4, got 1"),
        (#"{"instances":[[[1,2,3,4]]]}"#, "instances[0][0]: expected a number (FP32), got a list"),
        (#"{"instances":[[1,2,3,4],"x"]}"#, "instances[1]: expected a list of 4, got a string"),
        (#"{"instances":[[1,2 3,4]]}"#, "instances[0]: expected ',' or ']', got 3"),
        (#"{"instances":[{"x":[1,2]}]}"#, "instances[0].x: expected a list of 4, got 2"),
        (#"{"instances":[{"x":[1,2,3,[]]}]}"#, "instances[0].x[3]: expected a number (FP32), got a list"),
        (#"{"instances":[{"x":[1,2,3,4]},[1]]}"#, "instances[1]: expected an object, got a list"),
        (
            #"{"instances":[{"x":[1,2,3,4]},{}]}"#,
            "instances[1]: expected the keys of instances[0], got no 'x'"
        ),
        (#"{"inputs":{"x":[[1,2,3,4],[1]]}}"#, "inputs.x[1]: expected a list of 4, got 1"),
        (#"{"inputs":{"x":5}}"#, "inputs.x: expected a list, got 5"),
        (#"{"inputs":{"z":[[1,2,3,4]]}}"#, "unexpected inference input 'z' for model 'm'"),
        (#"{"instances":[{"z":[1,2,3,4]}]}"#, "unexpected inference input 'z' for model 'm'"),
        (#"{"inputs":{}}"#, "expected 1 inputs but got 0 inputs for model 'm'"),
        (#"{"instances":[{"b64":"AACAPw=="}]}"#, "instances[0]: expected 16 bytes of FP32, got 4"),
        (
            #"{"instances":[{"b64":"A"}]}"#,
            #"instances[0]: expected a list of 4, got an object that is not {"b64": base64}"#
        ),
        (#"{"instances":5}"#, "instances: expected a list, got 5"),
        (#"{}"#, "the request has no 'instances' or 'inputs'"),
        (
            #"{"instances":[[1,2,3,4]],"inputs":[[1,2,3,4]]}"#,
            "'inputs' of the request must be absent, or the other one"
        ),
        (#"{"instances":[[1,2,3,4]],"instances":[]}"#, "the request has 'instances' twice"),
        (
            #"{"signature_name":"tune","instances":[[1,2,3,4]]}"#,
            "'signature_name' of the request must be 'serving_default', there is no 'tune'"
        ),
        (
            #"{"instances":[[3e38,2,3,4]]}"#,
            "output 'y': element 0 is infinite, which JSON cannot carry; ask for binary data "
                + "('binary_data': true)"
        ),
    ])
    func `names the place, what is expected and what is there`(_ body: String, _ message: String) {
        let response = predict(body)
        #expect(response.status.code == 400)
        #expect(response.errorMessage == message)
    }

    @Test(arguments: [
        (#"{"instances":[[1,2],[3]]}"#, "instances[1]: expected a list of 2, got 1"),
        (#"{"instances":[[1,2],[3,4,5]]}"#, "instances[1]: expected a list of 2, got more"),
        (#"{"instances":[[1.5]]}"#, "instances[0][0]: expected an integer (INT32), got 1.5"),
        (
            #"{"instances":[[2147483648]]}"#,
            "instances[0][0]: expected a number in the range of INT32, got 2147483648"
        ),
        (
            #"{"inputs":{"b64":"AQAAAA=="}}"#,
            "inputs: expected a list, for bytes do not tell 2 extents, got 4"
        ),
    ])
    func `refuses ragged lists and wrong integers`(_ body: String, _ message: String) {
        #expect(predict(body, model: "open").errorMessage == message)
    }

    @Test(arguments: [
        #"{"instances":[{"a":1,"b":true}]}"#, #"{"instances":[[1,2]]}"#, #"{"inputs":[1,2]}"#,
        #"{"instances":[{"a":1,"b":true},{"a":1,"c":true}]}"#,
        #"{"instances":[{"a":1,"b":2},{"a":1,"b":1}]}"#,
        #"{"instances":[{"a":1,"b":{"b64":"Ag=="}},{"a":1,"b":1}]}"#, #"{"instances":[{"a":1},{"a":1}]}"#,
        #"{"instances":[{"a":1,"a":1,"b":1},{"a":1,"b":1}]}"#, #"{"inputs":{"a":[1,2],"a":[1,2],"b":[1]}}"#,
    ])
    func `refuses what a model with two inputs cannot take`(_ body: String) {
        let response = predict(body, model: "pair")
        #expect(response.status.code == 400 && response.errorMessage != nil, "\(response.text)")
    }

    @Test func `an output without an item for each instance goes by columns only`() {
        let rows = predict(#"{"instances":[{"h":1}]}"#, model: "half")
        #expect(rows.errorMessage?.hasPrefix("input 'h': JSON cannot carry data-type FP16") == true)
    }

    @Test func `every cut of a request is refused and nothing traps`() {
        let body =
            #"{"signature_name":"serving_default","instances":[{"x":[1,-2.5e1,3,4]},{"x":{"b64":"AACAPwAAAEAAAEBAAACAQA=="}}]}"#
        #expect(predict(body).status == .ok)
        let bytes = Array(body.utf8)
        for end in 0..<bytes.count {
            let response = service.send(.post, "/v1/models/m:predict", body: Array(bytes[..<end]))
            #expect(response.status.code == 400 && response.errorMessage != nil, "\(end)")
        }
    }

    @Test(arguments: ["classify", "regress", "explain"])
    func `other verbs are refused by name`(_ verb: String) {
        for path in ["/v1/models/m:\(verb)", "/v1/models/m/versions/1:\(verb)"] {
            let response = service.send(.post, path)
            #expect(response.status.code == 501)
            #expect(response.errorMessage == "'\(verb)' is not supported; send tensors to :predict")
        }
    }

    @Test func `a model's status is told in both dialects`() {
        #expect(
            service.get("/v1/models/m").text
                == #"{"name":"m","ready":true,"model_version_status":[{"version":"2","state":"AVAILABLE","status":"#
                + #"{"error_code":"OK","error_message":""}},{"version":"1","state":"AVAILABLE","status":"#
                + #"{"error_code":"OK","error_message":""}}]}"#)
        let one = service.get("/v1/models/m/versions/1")
        #expect((one.json["model_version_status"] as? [Any])?.count == 1)
        #expect(service.get("/v1/models/m/versions/7").status.code == 404)
        #expect(service.get("/v1/models/none").status.code == 404)
        let broken = service.get("/v1/models/broken")
        #expect(broken.status.code == 503 && broken.json["ready"] as? Bool == false)
        #expect(broken.text.contains(#""state":"END","status":{"error_code":"FAILED_PRECONDITION""#))
        #expect((broken.json["error"] as? String)?.contains("damaged") == true)
        #expect(service.get("/v1/models").text == #"{"models":["broken","half","m","open","pair"]}"#)
        #expect(service.get("/").text == #"{"status":"alive"}"#)
    }

    @Test func `metadata is a signature with protobuf's JSON`() {
        let response = service.get("/v1/models/m/metadata")
        #expect(
            response.text
                == #"{"model_spec":{"name":"m","signature_name":"","version":"2"},"metadata":{"signature_def":"#
                + #"{"signature_def":{"serving_default":{"inputs":{"x":{"dtype":"DT_FLOAT","tensor_shape":{"dim":"#
                + #"[{"size":"-1","name":""},{"size":"4","name":""}],"unknown_rank":false},"name":"x"}},"#
                + #""outputs":{"y":{"dtype":"DT_FLOAT","tensor_shape":{"dim":[{"size":"-1","name":""},"#
                + #"{"size":"4","name":""}],"unknown_rank":false},"name":"y"}},"#
                + #""method_name":"tensorflow/serving/predict"}}}}}"#)
        #expect(service.get("/v1/models/m/versions/9/metadata").status.code == 404)
    }

    @Test func `a name before a verb is decoded and checked as any other`() {
        #expect(service.send(.post, "/v1/models/%2e%2e:predict").status.code == 400)
        #expect(service.send(.post, "/v1/models/:predict").status.code == 400)
        #expect(service.send(.post, "/v1/models/a:b:predict").errorMessage?.contains("'a:b'") == true)
        #expect(service.send(.post, "/v1/models/m/versions/x:predict").status.code == 404)
    }
}
