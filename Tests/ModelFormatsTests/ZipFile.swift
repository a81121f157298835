import Glibc

/// Writes ZIP archives for tests, honest ones and others.
struct ZipFile {
    struct Member {
        var name: String
        var content: [UInt8]
        /// What is in the file: the content, or what it was compressed to.
        var data: [UInt8]
        var method: UInt16 = 0
        var flags: UInt16 = 0
        /// What the headers state, when it is not the truth.
        var statedByteCount: UInt32?
        var statedOffset: UInt32?

        init(_ name: String, _ content: [UInt8]) {
            self.name = name
            self.content = content
            data = content
        }

        init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }

        /// Deflated as one stored block (RFC 1951 §3.2.4).
        func deflated() -> Member {
            var member = self
            let count = UInt16(content.count)
            member.data = [1] + Self.bytes(count) + Self.bytes(~count) + content
            member.method = 8
            return member
        }

        static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }
    }

    var members: [Member]
    var comment: [UInt8] = []
    var isZip64 = false
    var diskNumber: UInt16 = 0

    init(_ members: [Member]) { self.members = members }

    var bytes: [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for member in members {
            let offset = member.statedOffset ?? UInt32(file.count)
            let byteCount = member.statedByteCount ?? UInt32(member.content.count)
            let common =
                Member.bytes(member.flags) + Member.bytes(member.method) + [0, 0, 0, 0]
                + Member.bytes(Self.checksum(member.content)) + Member.bytes(UInt32(member.data.count))
                + Member.bytes(byteCount) + Member.bytes(UInt16(member.name.utf8.count))
            file += [0x50, 0x4B, 3, 4, 20, 0] + common + [0, 0] + Array(member.name.utf8) + member.data
            let wide =
                isZip64
                ? Member.bytes(UInt16(1)) + Member.bytes(UInt16(8)) + Member.bytes(UInt64(offset)) : []
            directory += [0x50, 0x4B, 1, 2, 20, 0, 20, 0] + common + Member.bytes(UInt16(wide.count))
            directory += [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            directory += Member.bytes(isZip64 ? UInt32.max : offset) + Array(member.name.utf8) + wide
        }
        let start = file.count
        file += directory
        let count = UInt64(members.count)
        if isZip64 {
            let record = UInt64(file.count)
            file +=
                [0x50, 0x4B, 6, 6] + Member.bytes(UInt64(44)) + [45, 0, 45, 0]
                + [UInt8](repeating: 0, count: 8)
            file += Member.bytes(count) + Member.bytes(count) + Member.bytes(UInt64(directory.count))
            file += Member.bytes(UInt64(start))
            file += [0x50, 0x4B, 6, 7, 0, 0, 0, 0] + Member.bytes(record) + [1, 0, 0, 0]
        }
        file += [0x50, 0x4B, 5, 6] + Member.bytes(diskNumber) + [0, 0]
        file +=
            Member.bytes(isZip64 ? UInt16.max : UInt16(count)) + Member.bytes(isZip64 ? .max : UInt16(count))
        file +=
            Member.bytes(isZip64 ? .max : UInt32(directory.count))
            + Member.bytes(isZip64 ? .max : UInt32(start))
        return file + Member.bytes(UInt16(comment.count)) + comment
    }

    /// CRC-32, bit by bit.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
    }
}
