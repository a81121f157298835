/// A group or a data set: what its object header says.
package struct HDF5Object {
    struct Message {
        let type: Int
        let flags: Int
        let content: Range<Int>
    }

    package let file: HDF5File
    let address: Int
    let messages: [Message]

    /// A message that lies elsewhere, shared by objects.
    private static let sharedFlag = 2
    private static let continuationType = 0x10

    package init(_ file: HDF5File, at address: Int) throws(HDF5Error) {
        self.file = file
        self.address = address
        var reader = HeaderReader(file: file)
        if try file.bytes.byte(at: address) == 1 {
            try reader.readVersion1(at: address)
        } else {
            try reader.readVersion2(at: address)
        }
        messages = reader.messages
    }

    /// The first message of a type. Throws for one that lies elsewhere.
    func message(_ type: Int) throws(HDF5Error) -> Range<Int>? {
        guard let message = messages.first(where: { $0.type == type }) else { return nil }
        return try Self.own(message)
    }

    static func own(_ message: Message) throws(HDF5Error) -> Range<Int> {
        guard message.flags & sharedFlag == 0 else {
            throw HDF5Error(
                reason: "shared HDF5 messages are not supported", byteOffset: message.content.lowerBound)
        }
        return message.content
    }

    /// The object of this group at `path`, `a/b/c`; `nil` when there is none.
    package func object(at path: String) throws(HDF5Error) -> HDF5Object? {
        var object = self
        for name in path.split(separator: "/") {
            guard let address = try file.links(of: object)[String(name)] else { return nil }
            object = try HDF5Object(file, at: address)
        }
        return object
    }

    private struct HeaderReader {
        let file: HDF5File
        var messages: [Message] = []
        private var continuationCount = 0

        init(file: HDF5File) { self.file = file }

        /// A header begins with 16 bytes; messages follow, in this block and in continuations.
        mutating func readVersion1(at address: Int) throws(HDF5Error) {
            let bytes = file.bytes
            let blockByteCount = try bytes.word(at: address + 8)
            var blocks = [(address + 16, blockByteCount)]
            while let (start, byteCount) = blocks.popLast() {
                try bytes.require(byteCount, at: start)
                var position = start
                while start + byteCount - position >= 8 {
                    let type = try bytes.short(at: position)
                    let length = try bytes.short(at: position + 2)
                    let flags = try bytes.byte(at: position + 4)
                    position += 8
                    try add(type, flags, position, length, before: start + byteCount, &blocks)
                    position += length
                }
            }
        }

        /// `OHDR`, flags that say which fields follow, then messages; continuations are `OCHK`.
        mutating func readVersion2(at address: Int) throws(HDF5Error) {
            let bytes = file.bytes
            try bytes.requireSignature("OHDR", at: address)
            let version = try bytes.byte(at: address + 4)
            guard version == 2 else {
                throw HDF5Error(
                    reason: "HDF5 object header version \(version) is not supported", byteOffset: address)
            }
            let flags = try bytes.byte(at: address + 5)
            var position = address + 6
            if flags & 0x20 != 0 { position += 16 }
            if flags & 0x10 != 0 { position += 4 }
            let sizeByteCount = 1 << (flags & 3)
            let first = try bytes.number(byteCount: sizeByteCount, at: position)
            position += sizeByteCount
            let headByteCount = flags & 4 != 0 ? 6 : 4
            var blocks = [(position, first)]
            var isFirst = true
            while let (block, blockByteCount) = blocks.popLast() {
                try bytes.require(blockByteCount, at: block)
                var (start, end) = (block, block + blockByteCount)
                if !isFirst {
                    try bytes.requireSignature("OCHK", at: block)
                    (start, end) = (block + 4, end - 4)
                }
                isFirst = false
                while end - start >= headByteCount {
                    let type = try bytes.byte(at: start)
                    let length = try bytes.short(at: start + 1)
                    let messageFlags = try bytes.byte(at: start + 3)
                    start += headByteCount
                    try add(type, messageFlags, start, length, before: end, &blocks)
                    start += length
                }
            }
        }

        private mutating func add(
            _ type: Int, _ flags: Int, _ start: Int, _ length: Int, before end: Int,
            _ blocks: inout [(Int, Int)]
        ) throws(HDF5Error) {
            try file.step()
            guard length <= end - start else {
                throw HDF5Error(reason: "an HDF5 message is longer than its header", byteOffset: start)
            }
            guard type == HDF5Object.continuationType else {
                messages.append(Message(type: type, flags: flags, content: start..<start + length))
                return
            }
            continuationCount += 1
            guard continuationCount <= HDF5Limits.maximumContinuationCount, length >= 16 else {
                throw HDF5Error(reason: "an HDF5 object header does not end", byteOffset: start)
            }
            blocks.append((try file.bytes.offset(at: start), try file.bytes.offset(at: start + 8)))
        }
    }
}
