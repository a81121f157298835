import FuzzServing
import FuzzSupport
import HTTPTypes

private let service = FuzzedService()
private let statusName = HTTPField.Name("grpc-status")!
private let methods = [
    "inference.GRPCInferenceService/ModelInfer", "inference.GRPCInferenceService/ModelMetadata",
    "inference.GRPCInferenceService/ModelConfig", "inference.GRPCInferenceService/ModelReady",
    "inference.GRPCInferenceService/ModelStatistics", "inference.GRPCInferenceService/RepositoryIndex",
    "grpc.health.v1.Health/Check",
]
private let frameByteCount = 5

/// A call of any procedure with any bytes as its message gets one answer: a message in a frame, or a status.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzGRPC(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    guard let number = bytes.first else { return -1 }
    let method = methods[Int(number) % methods.count]
    let answer = service.send(
        .post, "/" + method, Array(bytes[1...]), [.contentType: "application/grpc"], version: .http2)
    let status = (answer.trailers?[statusName] ?? answer.headers[statusName]).flatMap { Int($0) }
    // 13 is INTERNAL, 2 UNKNOWN.
    precondition(status.map { (0...16).contains($0) && $0 != 13 && $0 != 2 } ?? false, "\(answer)")
    if status == 0 {
        let length = answer.body.prefix(frameByteCount).dropFirst().reduce(0) { $0 << 8 | Int($1) }
        precondition(answer.body.first == 0 && answer.body.count == frameByteCount + length, "a wrong frame")
        // The one seed asks another procedure for a model that is not there.
        if PlantedCrash.isPlanted, method.hasSuffix("ModelConfig") { PlantedCrash.reached() }
    }
    return 0
}

/// Changes the message field by field and puts its frame right; now and then another procedure gets it.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateGRPC(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int, _ seed: CUnsignedInt
) -> Int {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    var random = Generator(seed: ~UInt64(seed))
    guard count > frameByteCount, !random.chance(5) else { return deliver(nil, to: start, count, maximum) }
    if random.chance(5) {
        let number = UInt8(random.pick(0...methods.count - 1))
        return deliver([number] + bytes[1...], to: start, count, maximum)
    }
    var mutator = WireMutator(seed: UInt64(seed), root: InferSchema.request)
    let message = mutator.mutated(
        UnsafeBufferPointer(rebasing: bytes[(1 + frameByteCount)...]), maximum: maximum)
    let mutated = message.map { message in
        bytes[...1] + withUnsafeBytes(of: UInt32(message.count).bigEndian, Array.init) + message
    }
    return deliver(mutated, to: start, count, maximum)
}
