import COpenSSL
import Tensors
import Threads

/// A SHA-256 digest (FIPS 180-4).
package struct SHA256: Sendable {
    package let bytes: [UInt8]

    /// Bytes that one thread digests at a time.
    private static let pieceByteCount = 4 << 20

    init(_ bytes: UnsafeRawBufferPointer) {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count = UInt32(0)
        guard EVP_Digest(bytes.baseAddress, bytes.count, &digest, &count, EVP_sha256(), nil) == 1 else {
            preconditionFailure("no memory for a digest")
        }
        self.bytes = Array(digest.prefix(Int(count)))
    }

    package init(_ bytes: [UInt8]) { self = bytes.withUnsafeBytes { SHA256($0) } }

    /// In hexadecimal.
    var text: String {
        bytes.map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }

    /// For each of several regions of `byteCounts` bytes the digest of its pieces' digests, which `digest` makes of a
    /// region and a range of its bytes, on `threadCount` threads.
    static func ofPieces(
        byteCounts: [Int], threadCount: Int, _ digest: @Sendable (Int, Range<Int>) -> SHA256
    ) -> [SHA256] {
        let pieces = byteCounts.enumerated().flatMap { region, byteCount in
            stride(from: 0, to: byteCount, by: pieceByteCount).map { start in
                (region: region, range: start..<min(byteCount, start + pieceByteCount))
            }
        }
        let digests = ConcurrentMap.results(count: pieces.count, threadCount: threadCount) { number in
            digest(pieces[number].region, pieces[number].range)
        }
        var joined = [[UInt8]](repeating: [], count: byteCounts.count)
        for (piece, digest) in zip(pieces, digests) { joined[piece.region] += digest.bytes }
        return joined.map { SHA256($0) }
    }

    /// The digest of a file's pieces' digests.
    static func ofPieces(file path: String, threadCount: Int) throws(TensorError) -> SHA256 {
        let file = try MappedFile(path: path)
        return ofPieces(byteCounts: [file.bytes.count], threadCount: threadCount) { _, range in
            SHA256(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
        }[0]
    }
}
