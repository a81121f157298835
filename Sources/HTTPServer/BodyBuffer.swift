/// A body while it arrives. With its first bytes a client's word reserves a little memory; the rest follows what has come.
struct BodyBuffer {
    private(set) var bytes: [UInt8] = []
    private let expectedByteCount: Int
    /// Reserved with the first bytes.
    private let firstByteCount: Int

    /// Reserved on the client's word.
    static let maximumReservedByteCount = 1 << 20

    /// `byteCount` is what the client announced, or the most there may be, with nothing reserved then.
    init(announced byteCount: Int? = nil, maximumByteCount: Int = 0) {
        expectedByteCount = byteCount ?? maximumByteCount
        firstByteCount = min(byteCount ?? 0, Self.maximumReservedByteCount)
    }

    var count: Int { bytes.count }

    mutating func append(_ more: UnsafeBufferPointer<UInt8>) {
        let needed = bytes.count + more.count
        if needed > bytes.capacity {
            // Double, but no more than the body can be.
            bytes.reserveCapacity(max(needed, firstByteCount, min(expectedByteCount, 2 * bytes.count)))
        }
        bytes.append(contentsOf: more)
    }
}
