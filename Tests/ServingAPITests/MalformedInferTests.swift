import HTTPServer
import HTTPTypes
import ServingAPI
import Testing

/// Requests that must be refused as the caller's mistake, whatever is wrong with them.
@Suite struct MalformedInferTests {
    private static let good =
        #"{"id":"r1","parameters":{"binary_data_output":false},"inputs":[{"name":"x","shape":[1,4],"#
        + #""datatype":"FP32","data":[1,2,-3.5e0,4]}],"outputs":[{"name":"y"}]}"#

    private static func data(_ data: String) -> String { good.replacing("[1,2,-3.5e0,4]", with: data) }
    private static func shape(_ shape: String) -> String { good.replacing("[1,4]", with: shape) }

    private static let bodies: [String] =
        [
            "", " ", "null", "[]", "1", "\"x\"", "{", "{}", "{}}", "{\"inputs\"}", "{\"inputs\":}",
            "{\"inputs\":null}",
            "{\"inputs\":{}}", "{\"inputs\":[]}", "{\"inputs\":[1]}", "{\"inputs\":[{}]}",
            "{\"inputs\":[[]]}",
            "{\"inputs\":[{\"name\":\"x\"}]}", good + "x", good + "{}", "\u{FEFF}" + good,
            String(good.dropLast()),
            good.replacing("\"id\":\"r1\"", with: "\"id\":1"), good.replacing("\"r1\"", with: "\"\\x\""),
            good.replacing("\"r1\"", with: "\"\\ud800\""), good.replacing("\"r1\"", with: "\"\\udc00\""),
            good.replacing("\"r1\"", with: "\"\\ud800\\u0041\""), good.replacing("\"r1\"", with: "\"a\nb\""),
            good.replacing("\"r1\"", with: "\"\\u12\""), good.replacing("\"r1\"", with: "r1"),
            good.replacing("\"r1\"", with: "\"" + String(repeating: "a", count: 4097) + "\""),
            good.replacing("\"id\"", with: "id"), good.replacing("\"id\":", with: "\"id\""),
            good.replacing("\"id\"", with: "\"id\":\"r0\",\"id\""),
            good.replacing("\"inputs\"", with: "\"inputs\":[],\"inputs\""),
            good.replacing("\"outputs\"", with: "\"outputs\":[],\"outputs\""),
            good.replacing("\"shape\"", with: "\"shape\":[1,4],\"shape\""),
            good.replacing("\"data\"", with: "\"data\":[1],\"data\""),
            good.replacing("{\"binary_data_output\":false}", with: "[]"),
            good.replacing("{\"binary_data_output\":false}", with: "{\"binary_data_output\":1}"),
            good.replacing("{\"binary_data_output\":false}", with: "{\"timeout\":-1}"),
            good.replacing("{\"binary_data_output\":false}", with: "{\"timeout\":1.5}"),
            good.replacing("{\"binary_data_output\":false}", with: "{\"timeout\":99999999999999999999}"),
            good.replacing("{\"binary_data_output\":false}", with: "{\"priority\":\"high\"}"),
            good.replacing("\"name\":\"x\"", with: "\"name\":1"),
            good.replacing("\"name\":\"x\"", with: "\"name\":null"),
            good.replacing("\"name\":\"x\",", with: ""),
            good.replacing("\"datatype\":\"FP32\",", with: ""), good.replacing("\"FP32\"", with: "\"fp32\""),
            good.replacing("\"FP32\"", with: "\"FP64\""), good.replacing("\"FP32\"", with: "\"BYTES\""),
            good.replacing("\"FP32\"", with: "32"), good.replacing("\"shape\":[1,4],", with: ""),
            good.replacing("\"data\":[1,2,-3.5e0,4]", with: "\"d\":1"),
            good.replacing("\"x\"", with: "\"z\""),
            good.replacing("[{\"name\":\"y\"}]", with: "[{\"name\":\"z\"}]"),
            good.replacing("[{\"name\":\"y\"}]", with: "[{\"name\":\"y\"},{\"name\":\"y\"}]"),
            good.replacing("[{\"name\":\"y\"}]", with: "[{}]"),
            good.replacing("[{\"name\":\"y\"}]", with: "[\"y\"]"),
            good.replacing("[{\"name\":\"y\"}]", with: "{\"name\":\"y\"}"),
            good.replacing(
                "{\"name\":\"y\"}", with: "{\"name\":\"y\",\"parameters\":{\"binary_data\":\"yes\"}}"),
            good.replacing(
                "{\"name\":\"y\"}", with: "{\"name\":\"y\",\"parameters\":{\"classification\":-1}}"),
            good.replacing(
                "{\"name\":\"y\"}", with: "{\"name\":\"y\",\"parameters\":{\"classification\":16385}}"),
            good.replacing(
                "{\"name\":\"y\"}", with: "{\"name\":\"y\",\"parameters\":{\"classification\":1.5}}"),
            good.replacing("\"data\"", with: "\"parameters\":{\"binary_data_size\":16},\"data\""),
            good.replacing("\"data\":[1,2,-3.5e0,4]", with: "\"parameters\":{\"binary_data_size\":16}"),
            good.replacing("\"data\":[1,2,-3.5e0,4]", with: "\"parameters\":{\"binary_data_size\":-1}"),
            good.replacing(
                "\"data\":[1,2,-3.5e0,4]", with: "\"parameters\":{\"binary_data_size\":9223372036854775807}"),
            good.replacing("\"id\":\"r1\"", with: "\"a\":" + String(repeating: "[", count: 100_000)),
            good.replacing("\"id\":\"r1\"", with: "\"a\":" + String(repeating: "{\"a\":", count: 100_000)),
        ]
        + [
            "null", "1", "\"1\"", "{}", "true", "[", "]", "[1,2,3]", "[1,2,3,4,5]", "[1,2,3,]", "[1,2,3,4,]",
            "[,1,2,3]",
            "[1 2 3 4]", "[1,2,3,null]", "[1,2,3,\"4\"]", "[1,2,3,true]", "[1,2,3,{}]", "[1,2,3,[4]]",
            "[[1,2],[3,4]]",
            "[[1,2,3]]", "[[1,2,3,4,5]]", "[[1,2,3,4],[1,2,3,4]]", "[[[1,2,3,4]]]", "[[1],[2],[3],[4]]",
            "[[1,2,3,4]",
            "[1,2,3,+4]", "[1,2,3,.4]", "[1,2,3,4.]", "[1,2,3,04]", "[1,2,3,0x4]", "[1,2,3,4e]",
            "[1,2,3,4e+]", "[1,2,3,-]",
            "[1,2,3,--4]", "[1,2,3,nan]", "[1,2,3,-NaN]", "[1,2,3,Inf]", "[1,2,3,+Infinity]", "[1,2,3,1e39]",
            "[1,2,3,-1e39]", "[1,2,3,1e400]", "[1,2,3,1e99999999999999999999]", "[1,2,3,4_0]", "[1,2,3,٤]",
            "[1,2,3,0." + String(repeating: "1", count: 1100) + "]", "[]", "[[]]", "[1;2;3;4]",
        ].map(data)
        + [
            "null", "4", "{}", "[]", "[4]", "[1,1,4]", "[4,1]", "[-1,4]", "[1,-4]", "[1.0,4]", "[\"1\",4]",
            "[1,4",
            "[0,4]", "[2,4]", "[9223372036854775807,4]", "[9223372036854775808,4]", "[1000000000000,4]",
            "[1e0,4]",
            "[[1],4]", "[" + String(repeating: "1,", count: 16) + "4]", "[null,4]", "[NaN,4]",
        ].map(shape)

    @Test func `a hundred and more malformed bodies are each refused with 400 and the exact shape`() throws {
        let service = try TestService()
        #expect(service.infer(Self.good).status == .ok)
        #expect(Self.bodies.count >= 100)
        for body in Self.bodies {
            let response = service.infer(body)
            #expect(response.status.code == 400, "\(body.prefix(200)) → \(response.text.prefix(200))")
            #expect(response.errorMessage?.isEmpty == false, "\(body.prefix(200))")
            #expect((response.errorMessage?.utf8.count ?? 0) < 5000)
        }
    }

    @Test func `every prefix of a good body is refused, and so is every body with a byte of it lost`() throws
    {
        let service = try TestService()
        let good = Array(Self.good.utf8)
        for count in good.indices {
            let response = service.send(.post, "/v2/models/m/infer", body: Array(good[..<count]))
            #expect(response.status.code == 400 && response.errorMessage != nil)
            var damaged = good
            damaged[count] = 0xFF
            let answer = service.send(.post, "/v2/models/m/infer", body: damaged)
            #expect(answer.status.code == 400 && answer.errorMessage != nil, "byte \(count)")
        }
    }

    @Test(arguments: ["", "-1", "+1", "1x", "0x10", "1.0", " ", "99999999999999999999", "1000"])
    func `refuses a header length that the body has not`(_ length: String) throws {
        let response = try TestService().send(
            .post, "/v2/models/m/infer", body: Array(Self.good.utf8),
            headers: [.init(InferFields.headerLength)!: length])
        #expect(response.status.code == 400 && response.errorMessage != nil)
    }

    @Test(arguments: [0, 1, 15, 17, 32])
    func `refuses raw bytes that are missing or left over`(_ count: Int) throws {
        let json =
            #"{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":16}}]}"#
        let response = try TestService().infer(json, raw: [UInt8](repeating: 0, count: count))
        #expect(response.status.code == 400 && response.errorMessage != nil)
    }

    @Test func `refuses a boolean byte that is neither 0 nor 1, and integers out of range`() throws {
        let service = try TestService()
        let head = #"{"inputs":[{"name":"a","shape":[2],"datatype":"INT32","data":"#
        let raw = service.infer(
            head
                + #"[1,2]},{"name":"b","shape":[2],"datatype":"BOOL","parameters":{"binary_data_size":2}}]}"#,
            model: "pair", raw: [1, 2])
        #expect(raw.errorMessage == "input 'b': element 1 is 2, a BOOL is 0 or 1")
        for (data, text) in [
            ("[1,2147483648]", "a number in the range of INT32, got 2147483648"),
            ("[1,-2147483649]", "a number in the range of INT32, got -2147483649"),
            ("[1,1.0]", "an integer (INT32), got 1.0"), ("[1,1e0]", "an integer (INT32), got 1e0"),
            ("[1,NaN]", "an integer (INT32), got NaN"),
        ] {
            let response = service.infer(head + data + "}]}", model: "pair")
            #expect(response.errorMessage == "input 'a': inputs[0].data[1]: expected \(text)")
        }
    }
}
