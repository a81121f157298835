import HTTPServer
import HTTPTypes
import ServingAPI
import Tensors
import Testing

@Suite struct InferTests {
    private let service: TestService

    init() throws { service = try TestService() }

    private func input(_ data: String, shape: String = "[1,4]") -> String {
        #"{"inputs":[{"name":"x","shape":\#(shape),"datatype":"FP32","data":\#(data)}]}"#
    }

    @Test(arguments: [
        "[1,2,3,4]", "[[1,2,3,4]]", " [ 1.0 , 2e0 , 0.3E+1 , 40e-1 ] ", "[[1,\n2,\r3,\t4]]",
    ])
    func `takes data flat or nested`(_ data: String) {
        #expect(
            service.infer(input(data)).text
                == #"{"model_name":"m","model_version":"2","outputs":[{"name":"y","datatype":"FP32","#
                + #""shape":[1,4],"data":[2.0,4.0,6.0,8.0]}]}"#)
    }

    @Test func `takes keys in any order, unknown ones and null`() {
        let body = #"""
            {"extra":{"a":[{"b":null}],"c":"\u00e9"},"outputs":[],"parameters":null,"inputs":[{"data":[[1,2,3,4],[5,6,7,8]],
            "parameters":null,"more":[1,[2]],"datatype":"FP32","shape":[2,4],"name":"x"}],"id":"r\"1"}
            """#
        let response = service.infer(body)
        #expect(response.json["id"] as? String == "r\"1", "\(response.text)")
        #expect(response.text.contains(#""data":[2.0,4.0,6.0,8.0,10.0,12.0,14.0,16.0]"#))
    }

    @Test func `a null id is none`() {
        let response = service.infer(
            #"{"id":null,"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}"#)
        #expect(response.status == .ok && response.json["id"] == nil)
    }

    @Test func `takes binary and gives binary`() {
        let response = service.infer(
            #"{"parameters":{"binary_data_output":true},"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","#
                + #""parameters":{"binary_data_size":16}}]}"#, raw: bytes(of: [1, 2, 3, 4.5] as [Float]))
        #expect(response.headers[.contentType] == "application/octet-stream", "\(response.text)")
        #expect(response.rawTensors == bytes(of: [2, 4, 6, 9] as [Float]))
        let output = (response.json["outputs"] as? [[String: Any]])?.first
        #expect((output?["parameters"] as? [String: Int]) == ["binary_data_size": 16])
        #expect(output?["data"] == nil)
    }

    @Test(arguments: [(true, false), (false, true)])
    func `the output's own wish overrides the request's`(_ all: Bool, _ own: Bool) {
        let response = service.infer(
            #"{"parameters":{"binary_data_output":\#(all)},"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","#
                + #""data":[1,2,3,4]}],"outputs":[{"name":"y","parameters":{"binary_data":\#(own)}}]}"#)
        #expect(response.rawTensors.isEmpty == !own)
    }

    @Test func `binary inputs lie in the order of the JSON, and outputs in the order asked`() {
        let response = service.infer(
            #"{"inputs":[{"name":"b","shape":[3],"datatype":"BOOL","parameters":{"binary_data_size":3}},"#
                + #"{"name":"a","shape":[2],"datatype":"INT32","parameters":{"binary_data_size":8}}],"#
                + #""outputs":[{"name":"d"},{"name":"c","parameters":{"binary_data":true}}]}"#,
            model: "pair", raw: [1, 0, 1] + bytes(of: [7, -7] as [Int32]))
        let outputs = response.json["outputs"] as? [[String: Any]]
        #expect(outputs?.map { $0["name"] as? String } == ["d", "c"], "\(response.text)")
        #expect(outputs?[0]["data"] as? [Bool] == [true, false, true])
        #expect(response.rawTensors == bytes(of: [7, -7] as [Int32]))
    }

    @Test func `a raw request is one item for one input, answered in binary`() {
        let response = service.send(
            .post, "/v2/models/m/infer", body: bytes(of: [1, 2, 3, 4] as [Float]),
            headers: [.init(InferFields.headerLength)!: "0"])
        #expect(response.rawTensors == bytes(of: [2, 4, 6, 8] as [Float]), "\(response.text)")
        for (model, body) in [("m", [0] as [UInt8]), ("pair", [0, 0, 0, 0, 0, 0, 0, 0])] {
            let refused = service.send(
                .post, "/v2/models/\(model)/infer", body: body,
                headers: [.init(InferFields.headerLength)!: "0"])
            #expect(refused.status.code == 400 && refused.errorMessage != nil)
        }
    }

    @Test func `NaN literals come in and null goes out`() {
        let response = service.infer(input("[NaN,1,-2,0.5]"))
        #expect(response.text.contains(#""data":[null,2.0,-4.0,1.0]"#), "\(response.text)")
    }

    @Test(arguments: ["[Infinity,1,2,3]", "[-Infinity,1,2,3]", "[3e38,1,2,3]"])
    func `an infinite output tells to ask for binary`(_ data: String) {
        let response = service.infer(input(data))
        #expect(response.status.code == 400)
        #expect(
            response.errorMessage
                == "output 'y': element 0 is infinite, which JSON cannot carry; ask for binary data "
                + "('binary_data': true)")
    }

    @Test func `float16 travels in binary only`() {
        let json = service.infer(
            #"{"inputs":[{"name":"h","shape":[1],"datatype":"FP16","data":[1]}]}"#, model: "half")
        #expect(
            json.errorMessage == "input 'h': JSON cannot carry data-type FP16; send it as binary data")
        let request =
            #"{"inputs":[{"name":"h","shape":[2],"datatype":"FP16","parameters":{"binary_data_size":4}}]"#
        let out = service.infer(request + "}", model: "half", raw: [0, 0x3C, 0, 0x40])
        #expect(out.status.code == 400 && out.errorMessage?.contains("FP16") == true)
        let binary = service.infer(
            request + #","parameters":{"binary_data_output":true}}"#, model: "half", raw: [0, 0x3C, 0, 0x40])
        #expect(binary.rawTensors == [0, 0x3C, 0, 0x40], "\(binary.text)")
    }

    @Test func `classifies with labels, as text and as BYTES`() {
        let head = #"{"inputs":[{"name":"x","shape":[2,4],"datatype":"FP32","data":[1,5,5,2,NaN,0,-1,7]}],"#
        let text = service.infer(
            head + #""outputs":[{"name":"y","parameters":{"classification":2}}]}"#)
        #expect(
            text.text.contains(
                #""datatype":"BYTES","shape":[2,2],"data":["10.0:1:one","10.0:2:two","14.0:3:three","0.0:1:one"]"#
            ),
            "\(text.text)")
        let binary = service.infer(
            head + #""outputs":[{"name":"y","parameters":{"classification":9,"binary_data":true}}]}"#)
        let outputs = binary.json["outputs"] as? [[String: Any]]
        #expect(outputs?[0]["shape"] as? [Int] == [2, 4])
        #expect(Array(binary.rawTensors.prefix(14)) == [10, 0, 0, 0] + Array("10.0:1:one".utf8))
    }

    @Test func `a large body is read elsewhere and answered the same`() throws {
        var limits = APILimits()
        limits.inlineBodyByteCount = 10
        let other = try TestService(limits: limits)
        #expect(other.infer(input("[1,2,3,4]")).body == service.infer(input("[1,2,3,4]")).body)
        #expect(other.infer(input("[1,2,3]")).body == service.infer(input("[1,2,3]")).body)
    }

    @Test func `an empty batch goes through`() {
        let response = service.infer(input("[]", shape: "[0,4]"))
        #expect(response.text.contains(#""shape":[0,4],"data":[]"#), "\(response.text)")
    }

    @Test func `an empty tensor of long extents is refused, for it would cost loops and no bytes`() throws {
        let head = #"{"inputs":[{"name":"a","shape":[0,"#
        let tail = #"],"datatype":"INT32","data":[]}]}"#
        let limit = APILimits().maximumEmptyExtentProduct
        for (extent, passes) in [(limit, true), (limit + 1, false), (1 << 50, false)] {
            let response = service.infer(head + String(extent) + tail, model: "open")
            #expect((response.status == .ok) == passes, "\(response.text)")
        }
    }

    @Test func `the texts that users know`() {
        let known = [
            (
                input("[1]", shape: "[4]"),
                "unexpected shape for input 'x' for model 'm'. Expected [-1,4], got [4]."
            ),
            (
                input("[1,2,3,4]").replacing("FP32", with: "FP64"),
                "inference input 'x' data-type is 'FP64', but model 'm' expects 'FP32'"
            ),
            (
                input("[1,2,3,4]").replacing("\"x\"", with: "\"z\""),
                "unexpected inference input 'z' for model 'm'"
            ),
            (#"{"inputs":[]}"#, "expected 1 inputs but got 0 inputs for model 'm'"),
            (
                input(#"["a"]"#).replacing("FP32", with: "BYTES"),
                "inference input 'x' data-type is 'BYTES', but model 'm' expects 'FP32'"
            ),
            (input("[1,2,3]"), "input 'x': inputs[0].data: expected 4 elements for shape [1,4], got 3"),
            (
                input("[1,2,3,4,5]"),
                "input 'x': inputs[0].data: expected 4 elements for shape [1,4], got more"
            ),
            (
                input("[[1,2],[3,4]]"),
                "input 'x': inputs[0].data[0]: expected lists nested as shape [1,4] says, got one of another length"
            ),
            (
                input("[1,2,3,1e39]"),
                "input 'x': inputs[0].data[3]: expected a number in the range of FP32, got 1e39"
            ),
        ]
        for (body, text) in known {
            let response = service.infer(body)
            #expect(response.status.code == 400)
            #expect(response.errorMessage == text, "\(response.text)")
        }
    }

    @Test(arguments: [
        ("", "the body: expected an object, got the end"), ("[]", "the body: expected an object, got a list"),
        ("{} 1", "the body: expected the end, got 1"), ("{1}", "the body: expected a key, got 1"),
        (#"{"id":1}"#, "id: expected a string, got 1"), (#"{"id" 1}"#, "id: expected ':', got 1"),
        (#"{"id":"a" "inputs"}"#, "id: expected ',' or '}', got a string"),
        (#"{"inputs":{}}"#, "inputs: expected a list, got an object"),
        (#"{"id":"r","inputs":[1]}"#, "inputs[0]: expected an object, got 1"),
        (#"{"inputs":[{}]}"#, "inputs[0] has no 'name'"),
        (#"{"inputs":[{"name":"x","name":"x"}]}"#, "inputs[0] has 'name' twice"),
        (#"{"inputs":[{"shape":[1, "4"]}]}"#, "inputs[0].shape[1]: expected an integer, got a string"),
        (#"{"inputs":[{"shape":[1,4.5]}]}"#, "inputs[0].shape[1]: expected an integer, got 4.5"),
        (
            #"{"inputs":[{"parameters":{"binary_data_size": -1}}]}"#,
            "inputs[0].parameters.binary_data_size: expected 0 or more, got -1"
        ),
        (
            #"{"outputs":[{"name":"y"},{"parameters":{"binary_data":"yes"}}]}"#,
            "outputs[1].parameters.binary_data: expected true or false, got a string"
        ),
        (#"{"parameters":{"timeout":-1}}"#, "parameters.timeout: expected 0 or more microseconds, got -1"),
        (#"{"a\"b":[{"\\":{"c":[[],nul]}}]}"#, #"a\"b[0].\\.c[1]: expected null, got nul"#),
        (
            #"{"\#(String(repeating: "k", count: 50))":x}"#,
            String(repeating: "k", count: 40) + "…: expected a value, got x"
        ),
        (#"{"id":"\q"}"#, "the body is no JSON: an unknown escape at byte 9"),
    ])
    func `an error of the JSON names the path, what is expected and what is there`(
        _ body: String, _ message: String
    ) {
        let response = service.infer(body)
        #expect(response.status.code == 400)
        #expect(response.errorMessage == message)
    }

    @Test(arguments: [
        ("[1,2,3,null]", "inputs[0].data[3]: expected a number (FP32), got null"),
        ("[1, [2],3,4]", "inputs[0].data[1]: expected lists nested as shape [1,4] says, got a list"),
        (
            "[[1,2,3,4],[5]]",
            "inputs[0].data: expected lists nested as shape [1,4] says, got one of another length"
        ),
        ("[[1,2,3,\"4\"]]", "inputs[0].data[0][3]: expected a number (FP32), got a string"),
        ("\"1234567\"", "inputs[0].data: expected a list, got a string"),
        ("[", "inputs[0].data: expected 4 elements for shape [1,4], got fewer"),
    ])
    func `an error of the data names the element`(_ data: String, _ message: String) {
        let response = service.infer(input(data))
        #expect(response.errorMessage == "input 'x': " + message)
    }
}
