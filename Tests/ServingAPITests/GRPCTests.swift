import HTTPServer
import HTTPTypes
import ServingAPI
import Testing

@Suite struct GRPCTests {
    private let service: TestService

    init() throws {
        var limits = APILimits()
        limits.maximumExpandedByteCount = 1000
        service = try TestService(limits: limits)
    }

    private static let one = bytes(of: [1, 2, 3, 4.5] as [Float])
    private static let doubled = bytes(of: [2, 4, 6, 9] as [Float])
    private static let raw = ProtobufMessage().adding(1, "m").adding(5, .input("x", "FP32", [1, 4])).adding(
        7, one)

    private func infer(_ message: ProtobufMessage) -> ServerResponse {
        service.call("ModelInfer", message.framed())
    }

    @Test func `a raw request is answered in raw, in one frame, with a status behind it`() {
        let response = infer(Self.raw.adding(3, "r1"))
        let output = ProtobufMessage().adding(1, "y").adding(2, "FP32").adding(3, [1, 4])
        let expected = ProtobufMessage().adding(1, "m").adding(2, "2").adding(3, "r1").adding(5, output)
            .adding(6, Self.doubled)
        #expect(response.body == expected.framed())
        #expect(response.status == .ok && response.headers[.contentType] == "application/grpc")
        #expect(response.trailers?[.init("grpc-status")!] == "0")
    }

    @Test func `fields come in any order, unknown ones are passed`() {
        let message = ProtobufMessage().adding(7, Self.one).adding(99, "?").adding(98, number: 7)
            .adding(5, .input("x", "FP32", [1, 4])).adding(1, "m").adding(2, "1")
        #expect(infer(message).grpcStatus == 0)
    }

    @Test(arguments: [
        ("m", "x", "FP32", [1, 4], 6, bytes(of: [1, 2, 3, 4.5] as [Float])),
        ("open", "a", "INT32", [1, 2], 2, ProtobufMessage.varint(.max) + [5]),
    ])
    func `typed contents are read`(
        _ model: String, _ name: String, _ type: String, _ shape: [Int], _ field: Int, _ packed: [UInt8]
    ) {
        let input = ProtobufMessage.input(name, type, shape, field: field, packed: packed)
        let response = infer(ProtobufMessage().adding(1, model).adding(5, input))
        let expected = model == "m" ? Self.doubled : bytes(of: [-1, 5] as [Int32])
        #expect(response.grpcStatus == 0, "\(response.grpcMessage)")
        #expect(response.body.suffix(expected.count) == expected[...])
    }

    @Test func `typed contents need not be packed`() {
        let contents = ProtobufMessage().adding(2, number: 7).adding(2, number: 8)
        let input = ProtobufMessage.input("a", "INT32", [1, 2]).adding(5, contents)
        let response = infer(ProtobufMessage().adding(1, "open").adding(5, input))
        #expect(response.body.suffix(8) == bytes(of: [7, 8] as [Int32])[...], "\(response.grpcMessage)")
    }

    @Test(arguments: [
        (ProtobufMessage.input("a", "INT32", [1, 2], field: 2, packed: [1]), "another number"),
        (.input("a", "INT32", [1, 2], field: 2, packed: [1, 2, 3]), "another number"),
        (.input("a", "INT32", [1, 2], field: 6, packed: [1, 2, 3, 4]), "another data-type"),
        (.input("a", "INT32", [1, 1], field: 2, packed: ProtobufMessage.varint(1 << 31)), "out of range"),
        (.input("a", "INT32", [1, 1], field: 2, packed: [0x80]), "ends inside a number"),
        (.input("a", "INT32", [1 << 40, 1 << 40], field: 2, packed: [1]), "shape"),
        (.input("a", "INT32", [1 << 30, 1], field: 2, packed: [1]), "another number"),
        (.input("a", "INT32", [-1, 2], field: 2, packed: [1, 2]), "unexpected shape"),
        (.input("a", "INT32", Array(repeating: 1, count: 17), field: 2, packed: [1]), "axes"),
        (.input("a", "BYTES", [1, 2], field: 8, packed: [1, 2]), "data-type is 'BYTES'"),
        (.input("z", "INT32", [1, 2], field: 2, packed: [1, 2]), "unexpected inference input 'z'"),
    ])
    func `what the model cannot take is an invalid argument`(_ input: ProtobufMessage, _ part: String) {
        let response = infer(ProtobufMessage().adding(1, "open").adding(5, input))
        #expect(response.grpcStatus == 3)
        #expect(response.grpcMessage.contains(part), "\(response.grpcMessage)")
    }

    @Test(arguments: [
        (raw.adding(7, one), "2 raw_input_contents were sent for 1 inputs"),
        (
            ProtobufMessage().adding(1, "m").adding(5, .input("x", "FP32", [1, 4], field: 6, packed: one))
                .adding(7, one), "has 'contents', and raw_input_contents are there too"
        ),
        (raw.adding(5, .input("x", "FP32", [1, 4])).adding(7, one), "given twice"),
        (ProtobufMessage().adding(1, "m"), "expected 1 inputs but got 0"),
        (raw.adding(6, ProtobufMessage().adding(1, "q")), "unexpected inference output 'q'"),
        (raw.adding(3, [0xFF]), "'id' is not UTF-8"),
        (raw.adding(3, String(repeating: "i", count: 4097)), "'id' is longer than 4096 bytes"),
        (raw.raw([0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]), "longer than its message"),
        (raw.raw([0x3B]), "wire type 3"),
        (raw.raw([0x00]), "field number 0"),
        (raw.adding(5, number: 1), "'inputs' is of another type"),
    ])
    func `a malformed message is an invalid argument`(_ message: ProtobufMessage, _ part: String) {
        let response = infer(message)
        #expect(response.grpcStatus == 3)
        #expect(response.grpcMessage.contains(part), "\(response.grpcMessage)")
        #expect(response.body.isEmpty && response.trailers == nil)
    }

    @Test func `every beginning of a request is refused or answered`() {
        let whole = Self.raw.bytes
        for count in 0..<whole.count {
            let status = infer(ProtobufMessage().raw(Array(whole[..<count]))).grpcStatus
            #expect(status == 3 || status == 5, "\(count) bytes: status \(String(describing: status))")
        }
    }

    @Test(arguments: [
        [], [0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0], [0, 255, 255, 255, 255],
    ])
    func `a frame that is none is an invalid argument`(_ body: [UInt8]) {
        #expect(service.call("ServerLive", body).grpcStatus == 3)
    }

    @Test(arguments: [
        ("1S", 0), ("99999999H", 0), ("0n", 4), ("123456789m", 3), ("m", 3), ("1x", 3), ("-1m", 3),
    ])
    func `the timeout is honoured or refused`(_ text: String, _ status: Int) {
        let response = service.call(
            "ModelInfer", Self.raw.framed(), headers: [.init("grpc-timeout")!: text])
        #expect(response.grpcStatus == status, "\(response.grpcMessage)")
    }

    @Test func `states are told as on HTTP`() {
        let named = { (name: String) in ProtobufMessage().adding(1, name).framed() }
        #expect(service.call("ServerLive", ProtobufMessage().framed()).body == [0, 0, 0, 0, 2, 8, 1])
        #expect(service.call("ServerReady", ProtobufMessage().framed()).body == [0, 0, 0, 0, 0])
        #expect(service.call("ModelReady", named("m")).body == [0, 0, 0, 0, 2, 8, 1])
        #expect(service.call("ModelReady", named("broken")).body == [0, 0, 0, 0, 0])
        #expect(service.call("ModelReady", named("z")).grpcStatus == 5)
        #expect(service.call("ModelInfer", named("broken")).grpcStatus == 14)
        let health = service.call("Check", named(""), service: "grpc.health.v1.Health")
        #expect(health.body == [0, 0, 0, 0, 2, 8, 2])
    }

    @Test func `what is not there is unimplemented, at once`() {
        #expect(service.call("ModelStreamInfer", []).grpcStatus == 12)
        #expect(service.call("RepositoryModelLoad", ProtobufMessage().framed()).grpcStatus == 12)
        let path = "/inference.GRPCInferenceService/"
        let fields: HTTPFields = [.contentType: "application/grpc+proto"]
        #expect(service.early(.post, path + "ModelStreamInfer", headers: fields)?.grpcStatus == 12)
        #expect(service.early(.post, path + "ModelInfer", headers: fields) == nil)
    }

    @Test func `the server's own refusals are trailers for gRPC`() {
        let response = service.handler.errorResponse(
            status: .contentTooLarge, message: "100 % é", requestContentType: "application/grpc; a=b")
        #expect(response.status == .ok && response.grpcStatus == 8)
        #expect(response.headers[.init("grpc-message")!] == "100 %25 %C3%A9")
    }

    @Test func `a compressed message expands up to a bound`() {
        // zlib.compress of 1000 and of 1001 zeros, which are no message.
        let thousand: [UInt8] = [120, 156, 99, 96, 24, 5, 163, 96, 20, 12, 119, 0, 0, 3, 232, 0, 1]
        let more: [UInt8] = [120, 156, 99, 96, 24, 5, 163, 96, 20, 12, 123, 0, 0, 3, 233, 0, 1]
        let cases = [
            (thousand, 3, "field number 0"), (more, 8, "longer than 1000 bytes"),
            (Array(thousand.dropLast()), 3, "cut off"), (thousand + [0], 3, "left over"),
        ]
        for (body, status, part) in cases {
            let response = service.call(
                "ModelReady", ProtobufMessage().raw(body).framed(flag: 1),
                headers: [.init("grpc-encoding")!: "deflate"])
            #expect(response.grpcStatus == status)
            #expect(response.grpcMessage.contains(part), "\(response.grpcMessage)")
        }
        #expect(service.comesToHold(expandedByteCount: 0))
        let unknown = service.call(
            "ServerReady", ProtobufMessage().framed(flag: 1), headers: [.init("grpc-encoding")!: "br"])
        #expect(unknown.grpcStatus == 12)
    }
}
