/// Bytes on their way out. Small pieces are gathered into one write; a large body is queued as it is, uncopied.
struct OutputQueue {
    private var chunks: [[UInt8]] = []
    /// The first chunk's bytes that are written.
    private var writtenByteCount = 0
    /// Gathers small pieces; follows the chunks.
    private var tail: [UInt8] = []
    private(set) var byteCount = 0

    /// A body up to this size is copied behind its head: one write instead of two.
    static let maximumGatheredByteCount = 16 << 10
    /// A tail that grew larger than this is let go once written.
    private static let maximumKeptCapacity = 64 << 10

    var isEmpty: Bool { byteCount == 0 }

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        tail.append(contentsOf: bytes)
        byteCount += bytes.count
    }

    mutating func append(_ bytes: [UInt8]) {
        byteCount += bytes.count
        if bytes.count <= Self.maximumGatheredByteCount {
            tail.append(contentsOf: bytes)
        } else {
            sealTail()
            chunks.append(bytes)
        }
    }

    /// Lets `body` append to the gathered bytes.
    mutating func gather(_ body: (inout [UInt8]) -> Void) {
        let before = tail.count
        body(&tail)
        byteCount += tail.count - before
    }

    /// Writes until all is written or `write`, which returns how many bytes it took (0: none now; nil: failed), takes
    /// no more. Its second argument says that more bytes follow. Returns false when it failed.
    mutating func flush(_ write: (UnsafeRawBufferPointer, Bool) -> Int?) -> Bool {
        sealTail()
        var index = 0
        defer { if index > 0 { recycle(index) } }
        while index < chunks.count {
            let hasMore = index + 1 < chunks.count
            let offset = writtenByteCount
            let taken = chunks[index].withUnsafeBytes {
                write(UnsafeRawBufferPointer(rebasing: $0[offset...]), hasMore)
            }
            guard let taken else { return false }
            guard taken > 0 else { return true }
            byteCount -= taken
            writtenByteCount += taken
            if writtenByteCount == chunks[index].count {
                writtenByteCount = 0
                index += 1
            }
        }
        return true
    }

    private mutating func sealTail() {
        guard !tail.isEmpty else { return }
        chunks.append(tail)
        tail = []
    }

    /// Removes written chunks; the last of them serves as the next tail, so a steady connection allocates nothing.
    private mutating func recycle(_ count: Int) {
        if tail.capacity == 0, chunks[count - 1].capacity <= Self.maximumKeptCapacity {
            tail = chunks[count - 1]
            chunks.removeFirst(count)
            tail.removeAll(keepingCapacity: true)
        } else {
            chunks.removeFirst(count)
        }
    }
}
