import CZlib
import FuzzSupport

/// A ZIP archive taken apart, and put together with right places, sizes and checksums.
package struct FuzzedZIP {
    package struct Member {
        package var name: [UInt8]
        package var content: [UInt8]
        /// Deflated as one stored block (RFC 1951 §3.2.4).
        package var isDeflated = false

        package var text: String { String(decoding: name, as: UTF8.self) }
    }

    private static let localByteCount = 30
    private static let maximumBlockByteCount = Int(UInt16.max)
    private static let blockHeadByteCount = 5

    package var members: [Member] = []
    package var isZIP64 = false

    /// Follows the local headers; `nil` where there is none. What is deflated otherwise is taken as it is.
    package init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        func number(_ place: Int, _ width: Int) -> Int {
            (0..<width).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
        }
        var place = 0
        while bytes.count - place >= Self.localByteCount, number(place, 4) == 0x0403_4B50 {
            let start = place + Self.localByteCount + number(place + 26, 2) + number(place + 28, 2)
            let end = start + number(place + 18, 4)
            guard end <= bytes.count else { break }
            let name = bytes[
                place + Self.localByteCount..<place + Self.localByteCount + number(place + 26, 2)]
            var member = Member(name: Array(name), content: Array(bytes[start..<end]))
            if number(place + 8, 2) == 8, member.content.count >= Self.blockHeadByteCount {
                member.content.removeFirst(Self.blockHeadByteCount)
                member.isDeflated = true
            }
            members.append(member)
            place = end
        }
        guard !members.isEmpty else { return nil }
    }

    /// The archive, and where its headers begin.
    package var encoded: (bytes: [UInt8], headers: [Int]) {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        var headers: [Int] = []
        var entries: [Int] = []
        for member in members {
            let count = UInt16(truncatingIfNeeded: member.content.count)
            let isDeflated = member.isDeflated && member.content.count <= Self.maximumBlockByteCount
            let data =
                isDeflated ? [1] + Self.bytes(count) + Self.bytes(~count) + member.content : member.content
            var common = Self.bytes(UInt16(0)) + Self.bytes(UInt16(isDeflated ? 8 : 0)) + [0, 0, 0, 0]
            common += Self.bytes(Self.checksum(member.content)) + Self.bytes(UInt32(data.count))
            common += Self.bytes(UInt32(member.content.count)) + Self.bytes(UInt16(member.name.count))
            headers.append(file.count)
            entries.append(directory.count)
            let offset = UInt32(file.count)
            file += [0x50, 0x4B, 3, 4, 20, 0] + common + [0, 0] + member.name + data
            let wide =
                isZIP64 ? Self.bytes(UInt16(1)) + Self.bytes(UInt16(8)) + Self.bytes(UInt64(offset)) : []
            directory += [0x50, 0x4B, 1, 2, 20, 0, 20, 0] + common + Self.bytes(UInt16(wide.count))
            directory += [UInt8](repeating: 0, count: 10) + Self.bytes(isZIP64 ? .max : offset)
            directory += member.name + wide
        }
        let start = file.count
        headers += entries.map { start + $0 }
        file += directory
        headers.append(file.count)
        file += end(start: UInt64(start), byteCount: UInt64(directory.count), place: UInt64(file.count))
        return (file, headers)
    }

    private func end(start: UInt64, byteCount: UInt64, place: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        let count = UInt64(members.count)
        if isZIP64 {
            bytes += [0x50, 0x4B, 6, 6] + Self.bytes(UInt64(44)) + [45, 0, 45, 0]
            bytes += [UInt8](repeating: 0, count: 8) + Self.bytes(count) + Self.bytes(count)
            bytes += Self.bytes(byteCount) + Self.bytes(start)
            bytes += [0x50, 0x4B, 6, 7, 0, 0, 0, 0] + Self.bytes(place) + [1, 0, 0, 0]
        }
        let shortCount = isZIP64 ? .max : UInt16(truncatingIfNeeded: count)
        bytes += [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + Self.bytes(shortCount) + Self.bytes(shortCount)
        bytes += Self.bytes(isZIP64 ? .max : UInt32(truncatingIfNeeded: byteCount))
        bytes += Self.bytes(isZIP64 ? .max : UInt32(truncatingIfNeeded: start)) + [0, 0]
        return bytes
    }

    private static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32(crc32(0, nil, 0), bytes, UInt32(bytes.count)))
    }
}
