/// A body while it arrives. A client's word reserves little memory; the rest follows the bytes that have come.
struct BodyBuffer {
    private(set) var bytes: [UInt8] = []
    private let expectedByteCount: Int

    /// Reserved on the client's word.
    static let maximumReservedByteCount = 1 << 20

    /// `byteCount` is what the client announced, or the most there may be, with nothing reserved then.
    init(announced byteCount: Int? = nil, maximumByteCount: Int = 0) {
        expectedByteCount = byteCount ?? maximumByteCount
        if let byteCount, byteCount > 0 {
            bytes.reserveCapacity(min(byteCount, Self.maximumReservedByteCount))
        }
    }

    var count: Int { bytes.count }

    mutating func append(_ more: UnsafeBufferPointer<UInt8>) {
        let needed = bytes.count + more.count
        if needed > bytes.capacity {
            // Double, but no more than the body can be.
            bytes.reserveCapacity(max(needed, min(expectedByteCount, 2 * bytes.count)))
        }
        bytes.append(contentsOf: more)
    }
}
