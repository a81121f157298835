import FuzzModels
import FuzzSupport

/// Changes the JSON of a request as JSON, or what surrounds it.
struct InferMutator {
    private static let vocabulary = [
        "id", "parameters", "inputs", "outputs", "name", "shape", "datatype", "data", "binary_data_size",
        "binary_data", "binary_data_output", "classification", "timeout", "priority", "instances",
        "signature_name", "serving_default", "b64", "ready", "AAAAAAAA8D8=", "a", "b", "c", "d", "x", "y",
        "BOOL", "UINT8", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES",
    ]

    private let seed: UInt64
    private var random: Generator

    init(seed: UInt64) {
        self.seed = seed
        random = Generator(seed: ~seed)
    }

    /// `nil` where there is no request, and now and then, so that damaged ones are tried too.
    mutating func mutated(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard !random.chance(5), var message = InferMessage(bytes) else { return nil }
        switch random.pick(0...19) {
        case 0: message.path = UInt8(random.pick(0...InferMessage.paths.count - 1))
        case 1: message.announcedByteCount = message.announcedByteCount == nil ? message.json.count : nil
        case 2: message.announcedByteCount = random.chance(50) ? 0 : random.pick(0...message.json.count + 9)
        case 3, 4: message.tensors = libFuzzerMutated(message.tensors)
        case 5...7: message.json = libFuzzerMutated(message.json)
        default:
            var mutator = JSONMutator(seed: seed, vocabulary: Self.vocabulary)
            guard let json = mutator.mutated(message.json) else { return nil }
            if message.announcedByteCount == message.json.count { message.announcedByteCount = json.count }
            message.json = json
        }
        return message.encoded
    }
}
