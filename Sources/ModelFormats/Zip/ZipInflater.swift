import CZlib

/// zlib's part in reading ZIP members.
enum ZipInflater {
    /// Deflated data without a header, of the largest window.
    private static let windowBits: Int32 = -15

    /// `nil` unless the data expands to exactly `byteCount` bytes, and ends there.
    static func expand(_ data: UnsafeRawBufferPointer, byteCount: Int) -> [UInt8]? {
        guard let inputCount = UInt32(exactly: data.count), let outputCount = UInt32(exactly: byteCount),
            data.count > 0
        else { return nil }
        var stream = z_stream()
        guard czlib_inflate_init(&stream, windowBits) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        // The library's type is mutable, its use of it is not.
        stream.next_in = UnsafeMutablePointer(
            mutating: data.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.avail_in = inputCount
        // One byte more than there may be, so that zlib has a place to write to and too much is seen.
        let expanded = [UInt8](unsafeUninitializedCapacity: byteCount + 1) { buffer, count in
            stream.next_out = buffer.baseAddress
            stream.avail_out = outputCount
            let isWhole =
                inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0
            count = isWhole ? byteCount : byteCount + 1
            if !isWhole { buffer.initialize(repeating: 0) }
        }
        return expanded.count == byteCount ? expanded : nil
    }

    /// The CRC-32 of ISO 3309, as ZIP has it.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBufferPointer { bytes in
            var sum = crc32(0, nil, 0)
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = rest.prefix(Int(Int32.max))
                sum = crc32(sum, UnsafeBufferPointer(rebasing: part).baseAddress, UInt32(part.count))
                rest = rest.dropFirst(part.count)
            }
            return UInt32(truncatingIfNeeded: sum)
        }
    }
}
