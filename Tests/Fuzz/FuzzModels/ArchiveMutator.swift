import FuzzSupport

/// Takes an archive apart, changes one of its members by its kind, and puts it together again: bytes changed anywhere
/// would only break the archive.
package struct ArchiveMutator {
    private let vocabulary: [String]
    private var random: Generator

    private static let hdf5Signature: [UInt8] = [0x89, 0x48, 0x44, 0x46]

    package init(seed: UInt64, vocabulary: [String] = []) {
        random = Generator(seed: seed)
        self.vocabulary = vocabulary
    }

    /// `nil` where the bytes are no archive, and now and then, so that damaged ones are tried too.
    package mutating func mutated(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard !random.chance(2), var archive = FuzzedZIP(bytes) else { return nil }
        change(&archive)
        return archive.encoded.bytes
    }

    package mutating func change(_ archive: inout FuzzedZIP) {
        guard !archive.members.isEmpty else { return }
        let index = chosen(archive)
        archive.members[index].content = changed(archive.members[index].content)
    }

    /// What is described decides more than the numbers that it describes, and a longer text more than a shorter one.
    private mutating func chosen(_ archive: FuzzedZIP) -> Int {
        let texts = archive.members.indices.filter { archive.members[$0].content.first == UInt8(ascii: "{") }
        guard random.chance(80), let first = texts.randomElement(using: &random),
            let second = texts.randomElement(using: &random)
        else { return random.pick(0...archive.members.count - 1) }
        let isFirst = archive.members[first].content.count > archive.members[second].content.count
        return isFirst ? first : second
    }

    private mutating func changed(_ content: [UInt8]) -> [UInt8] {
        if content.first == UInt8(ascii: "{") {
            var mutator = JSONMutator(seed: random.next(), vocabulary: vocabulary)
            if let text = mutator.mutated(content) { return text }
        } else if content.starts(with: Self.hdf5Signature) {
            var mutator = HDF5Mutator(seed: random.next(), vocabulary: vocabulary)
            if let file = mutator.mutated(content) { return file }
        }
        return libFuzzerMutated(content)
    }
}
