/// Reads a ZIP archive's central directory and the local headers that it points to.
struct ZipScanner {
    let path: String
    let bytes: UnsafeRawBufferPointer

    private static let endSignature: UInt32 = 0x0605_4b50
    private static let endByteCount = 22
    private static let end64Signature: UInt32 = 0x0606_4b50
    private static let end64ByteCount = 56
    private static let locatorSignature: UInt32 = 0x0706_4b50
    private static let locatorByteCount = 20
    private static let entrySignature: UInt32 = 0x0201_4b50
    private static let entryByteCount = 46
    private static let localSignature: UInt32 = 0x0403_4b50
    private static let localByteCount = 30
    private static let extended64: UInt16 = 1

    /// APPNOTE §4.4.4: encrypted, compressed patched data, strong encryption, masked headers.
    private static let refusedFlags: UInt16 = 1 << 0 | 1 << 5 | 1 << 6 | 1 << 13
    private static let stored: UInt16 = 0
    private static let deflated: UInt16 = 8

    /// The end of central directory says where that is and how many entries it has.
    private struct Directory {
        var range: Range<Int>
        var entryCount: Int
    }

    /// An entry of the central directory.
    private struct Entry {
        var name: [UInt8]
        var flags: UInt16
        var method: UInt16
        var checksum: UInt32
        var compressedByteCount: UInt64
        var byteCount: UInt64
        var localOffset: UInt64
    }

    /// Files only; folders are checked and left out.
    func members() throws(ModelError) -> [ZipArchive.Member] {
        let directory = try directory()
        var position = directory.range.lowerBound
        var members: [ZipArchive.Member] = []
        var places: [Range<Int>] = []
        for _ in 0..<directory.entryCount {
            let entry = try entry(at: &position, end: directory.range.upperBound)
            let name = try name(of: entry)
            let (member, place) = try member(entry, name: name, end: directory.range.lowerBound)
            if !name.hasSuffix("/") { members.append(member) }
            places.append(place)
        }
        guard position == directory.range.upperBound else {
            throw refusal("bytes are left over in its directory", position)
        }
        places.sort { $0.lowerBound < $1.lowerBound }
        for (place, next) in zip(places, places.dropFirst()) where place.upperBound > next.lowerBound {
            throw refusal("two members overlap", next.lowerBound)
        }
        return members
    }

    // MARK: - The end of central directory

    private func directory() throws(ModelError) -> Directory {
        let last = bytes.count - Self.endByteCount
        let first = max(0, last - ZipLimits.maximumCommentByteCount)
        var end = last
        while end >= first, !isEnd(at: end) { end -= 1 }
        guard end >= first else { throw refusal("it has no directory", nil) }
        guard integer(at: end + 4, UInt16.self) == 0, integer(at: end + 6, UInt16.self) == 0 else {
            throw refusal("it is one of several files", end)
        }
        var entryCount = UInt64(integer(at: end + 10, UInt16.self))
        var byteCount = UInt64(integer(at: end + 12, UInt32.self))
        var offset = UInt64(integer(at: end + 16, UInt32.self))
        var directoryEnd = end
        let locator = end - Self.locatorByteCount
        if locator >= 0, integer(at: locator, UInt32.self) == Self.locatorSignature {
            let place = integer(at: locator + 8, UInt64.self)
            guard integer(at: locator + 4, UInt32.self) == 0, integer(at: locator + 16, UInt32.self) <= 1,
                let record = Int(exactly: place), record <= locator - Self.end64ByteCount,
                integer(at: record, UInt32.self) == Self.end64Signature,
                integer(at: record + 16, UInt32.self) == 0, integer(at: record + 20, UInt32.self) == 0
            else { throw refusal("its ZIP64 directory is damaged", locator) }
            let entryCount64 = integer(at: record + 32, UInt64.self)
            let byteCount64 = integer(at: record + 40, UInt64.self)
            let offset64 = integer(at: record + 48, UInt64.self)
            guard entryCount == UInt64(UInt16.max) || entryCount == entryCount64,
                byteCount == UInt64(UInt32.max) || byteCount == byteCount64,
                offset == UInt64(UInt32.max) || offset == offset64
            else { throw refusal("its two directories differ", record) }
            (entryCount, byteCount, offset) = (entryCount64, byteCount64, offset64)
            directoryEnd = record
        }
        guard entryCount <= UInt64(ZipLimits.maximumMemberCount) else {
            throw refusal(
                "it has \(entryCount) members, at most \(ZipLimits.maximumMemberCount) are read", end)
        }
        // Nothing lies between the directory and its end, and nothing before the archive.
        guard let start = Int(exactly: offset), let count = Int(exactly: byteCount), start <= directoryEnd,
            directoryEnd - start == count
        else { throw refusal("its directory is not where it is said to be", end) }
        return Directory(range: start..<directoryEnd, entryCount: Int(entryCount))
    }

    private func isEnd(at offset: Int) -> Bool {
        offset >= 0 && integer(at: offset, UInt32.self) == Self.endSignature
            && offset + Self.endByteCount + Int(integer(at: offset + 20, UInt16.self)) == bytes.count
    }

    // MARK: - Members

    private func entry(at position: inout Int, end: Int) throws(ModelError) -> Entry {
        let start = position
        guard end - start >= Self.entryByteCount, integer(at: start, UInt32.self) == Self.entrySignature
        else {
            throw refusal("a directory entry is damaged", start)
        }
        let nameCount = Int(integer(at: start + 28, UInt16.self))
        let extraCount = Int(integer(at: start + 30, UInt16.self))
        let commentCount = Int(integer(at: start + 32, UInt16.self))
        let nameStart = start + Self.entryByteCount
        guard end - nameStart >= nameCount + extraCount + commentCount else {
            throw refusal("a directory entry is cut off", start)
        }
        guard integer(at: start + 34, UInt16.self) == 0 else {
            throw refusal("a member is in another file", start)
        }
        position = nameStart + nameCount + extraCount + commentCount
        var entry = Entry(
            name: Array(bytes[nameStart..<nameStart + nameCount]), flags: integer(at: start + 8),
            method: integer(at: start + 10), checksum: integer(at: start + 16),
            compressedByteCount: UInt64(integer(at: start + 20, UInt32.self)),
            byteCount: UInt64(integer(at: start + 24, UInt32.self)),
            localOffset: UInt64(integer(at: start + 42, UInt32.self)))
        try extend(&entry, nameStart + nameCount..<nameStart + nameCount + extraCount)
        return entry
    }

    /// APPNOTE §4.5.3: numbers that do not fit follow in an extra field, in this order.
    private func extend(_ entry: inout Entry, _ extra: Range<Int>) throws(ModelError) {
        var position = extra.lowerBound
        while extra.upperBound - position >= 4 {
            let start = position + 4
            let end = start + Int(integer(at: position + 2, UInt16.self))
            guard end <= extra.upperBound else { throw refusal("an extra field is cut off", position) }
            if integer(at: position, UInt16.self) == Self.extended64 {
                var next = start
                for field in [\Entry.byteCount, \.compressedByteCount, \.localOffset]
                where entry[keyPath: field] == UInt64(UInt32.max) {
                    guard end - next >= 8 else { throw refusal("a ZIP64 field is cut off", position) }
                    entry[keyPath: field] = integer(at: next, UInt64.self)
                    next += 8
                }
                return
            }
            position = end
        }
    }

    private func name(of entry: Entry) throws(ModelError) -> String {
        guard entry.name.count <= ZipLimits.maximumNameByteCount, !entry.name.contains(0),
            let name = String(validating: entry.name, as: UTF8.self)
        else { throw refusal("a member's name is not readable", nil) }
        let path = name.hasSuffix("/") ? name.dropLast() : name[...]
        let components = path.split(separator: "/", omittingEmptySubsequences: false)
        guard components.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }), !name.utf8.contains(0x5C)
        else { throw refusal("member name '\(name)' is no plain relative path", nil) }
        return name
    }

    /// The member, and all that it takes of the file, which ends before `end`.
    private func member(
        _ entry: Entry, name: String, end: Int
    ) throws(ModelError) -> (ZipArchive.Member, place: Range<Int>) {
        guard entry.flags & Self.refusedFlags == 0 else {
            throw refusal("member '\(name)' is encrypted", nil)
        }
        guard entry.method == Self.stored || entry.method == Self.deflated else {
            throw refusal("member '\(name)' is compressed by method \(entry.method), expected 0 or 8", nil)
        }
        guard let start = Int(exactly: entry.localOffset), end - start >= Self.localByteCount,
            integer(at: start, UInt32.self) == Self.localSignature
        else { throw refusal("member '\(name)' has no header", nil) }
        let nameCount = Int(integer(at: start + 26, UInt16.self))
        let dataStart = start + Self.localByteCount + nameCount + Int(integer(at: start + 28, UInt16.self))
        guard dataStart <= end, integer(at: start + 8, UInt16.self) == entry.method,
            bytes[start + Self.localByteCount..<start + Self.localByteCount + nameCount]
                .elementsEqual(entry.name)
        else { throw refusal("member '\(name)' has a header that differs from the directory", start) }
        guard let count = Int(exactly: entry.compressedByteCount), count <= end - dataStart,
            let byteCount = Int(exactly: entry.byteCount)
        else { throw refusal("member '\(name)' reaches beyond its place", start) }
        guard entry.method == Self.deflated || byteCount == count else {
            throw refusal("member '\(name)' is stored, its two sizes differ", start)
        }
        guard byteCount / ZipLimits.maximumExpansion <= count else {
            throw refusal("member '\(name)' states more bytes than it can expand to", start)
        }
        let member = ZipArchive.Member(
            name: name, range: dataStart..<dataStart + count, isDeflated: entry.method == Self.deflated,
            byteCount: byteCount, checksum: entry.checksum)
        return (member, start..<dataStart + count)
    }

    // MARK: - Bytes

    /// A little-endian number that the caller knows to be inside the file.
    private func integer<Value: FixedWidthInteger>(at offset: Int, _: Value.Type = Value.self) -> Value {
        Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    private func refusal(_ reason: String, _ byteOffset: Int?) -> ModelError {
        .file(path: path, reason: "not a readable ZIP archive: \(reason)", byteOffset: byteOffset)
    }
}
