/// A request in a fuzzer's input: where it goes, how many bytes of it are said to be JSON, the JSON, and what follows it.
struct InferMessage {
    /// Each an endpoint that reads JSON.
    static let paths = [
        "/v2/models/m/infer", "/v2/models/wide/infer", "/v2/models/pair/infer", "/v2/models/half/infer",
        "/v1/models/m:predict", "/v1/models/wide:predict", "/v1/models/pair:predict",
        "/v2/repository/index",
    ]

    /// Whether the header says that a part of the body is JSON.
    private static let headerFlag: UInt8 = 0x80
    private static let headByteCount = 3

    var path: UInt8
    /// What the header says; `nil` without one.
    var announcedByteCount: Int?
    var json: [UInt8]
    var tensors: [UInt8]

    /// `nil` where there are too few bytes.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count >= Self.headByteCount else { return nil }
        let announced = Int(bytes[1]) | Int(bytes[2]) << 8
        let body = bytes[Self.headByteCount...]
        path = bytes[0] & ~Self.headerFlag
        announcedByteCount = bytes[0] & Self.headerFlag == 0 ? nil : announced
        json = Array(announcedByteCount.map { body.prefix($0) } ?? body)
        tensors = Array(body.dropFirst(json.count))
    }

    var target: String { Self.paths[Int(path) % Self.paths.count] }

    var encoded: [UInt8] {
        let announced = UInt16(clamping: announcedByteCount ?? 0)
        return [
            path & ~Self.headerFlag | (announcedByteCount == nil ? 0 : Self.headerFlag),
            UInt8(truncatingIfNeeded: announced), UInt8(announced >> 8),
        ] + json + tensors
    }
}
