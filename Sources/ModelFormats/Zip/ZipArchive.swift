import Tensors

/// The members of a ZIP archive in a mapped file, checked before any of them is used.
///
/// Stored members are ranges of the file. Refused are encryption, archives of several files, compression other than
/// deflate, names that are no plain relative paths or come twice, and members that overlap or reach beyond their place.
/// Source: PKWARE's APPNOTE 6.3.10, §4.3.
package struct ZipArchive: Sendable {
    package struct Member: Sendable {
        package let name: String
        /// Where the member's bytes, compressed or not, are in the file.
        package let range: Range<Int>
        package let isDeflated: Bool
        /// The bytes it has when it is expanded.
        package let byteCount: Int
        /// The CRC-32 of its expanded bytes.
        package let checksum: UInt32
    }

    package let file: MappedFile
    /// In the order of the central directory, without folders.
    package let members: [Member]
    private let indices: [String: Int]

    /// Throws `ModelError.file` for anything that is no archive of the kind above.
    package init(_ file: MappedFile) throws(ModelError) {
        self.file = file
        let scanner = ZipScanner(path: file.path, bytes: file.bytes)
        members = try scanner.members()
        var indices: [String: Int] = [:]
        for (index, member) in members.enumerated() {
            guard indices.updateValue(index, forKey: member.name) == nil else {
                throw .file(path: file.path, reason: "ZIP member '\(member.name)' is there twice")
            }
        }
        self.indices = indices
    }

    /// Whether the file begins as an archive with members does.
    static func hasSignature(_ file: MappedFile) -> Bool {
        file.bytes.prefix(4).elementsEqual([0x50, 0x4B, 0x03, 0x04])
    }

    package subscript(name: String) -> Member? { indices[name].map { members[$0] } }

    /// The member's bytes, expanded and checked against their CRC-32: for what is small, as JSON is.
    ///
    /// Throws before it takes memory when there are more than `maximumByteCount`.
    package func contents(of member: Member, maximumByteCount: Int) throws(ModelError) -> [UInt8] {
        guard member.byteCount <= maximumByteCount else {
            throw refusal(member, "has \(member.byteCount) bytes, at most \(maximumByteCount) are read")
        }
        let stored = UnsafeRawBufferPointer(rebasing: file.bytes[member.range])
        let contents: [UInt8]
        if member.isDeflated {
            guard let expanded = ZipInflater.expand(stored, byteCount: member.byteCount) else {
                throw refusal(member, "does not expand to the \(member.byteCount) bytes that it states")
            }
            contents = expanded
        } else {
            contents = Array(stored)
        }
        guard ZipInflater.checksum(contents) == member.checksum else {
            throw refusal(member, "is damaged: its checksum differs")
        }
        return contents
    }

    /// The member as a range of the mapped file. Throws when it is compressed.
    package func storedRange(of member: Member) throws(ModelError) -> Range<Int> {
        guard !member.isDeflated else {
            throw refusal(member, "is compressed, weights are read where they are stored uncompressed")
        }
        return member.range
    }

    private func refusal(_ member: Member, _ reason: String) -> ModelError {
        .file(path: file.path, reason: "ZIP member '\(member.name)' \(reason)")
    }
}
