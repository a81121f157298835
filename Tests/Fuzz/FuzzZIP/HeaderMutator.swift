import FuzzModels
import FuzzSupport

/// Changes what an archive says of its members: their order, names, compression, and single numbers of its headers.
struct HeaderMutator {
    private static let names = ["../a", "/a", "a/", "a//b", "a/../b", ".", "a\\b", "config.json", ""]
    private static let headByteCount = 60

    private var random: Generator

    init(seed: UInt64) { random = Generator(seed: seed) }

    /// `nil` where the bytes are no archive, and now and then, so that damaged ones are tried too.
    mutating func mutated(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard !random.chance(5) else { return nil }
        // A damaged archive is damaged further: taking it apart would heal it.
        if random.chance(25) {
            var result = Array(bytes)
            BytePatch.apply(to: &result, in: 0..<result.count, &random)
            return result
        }
        guard var archive = FuzzedZIP(bytes) else { return nil }
        if random.chance(60) {
            var mutator = ArchiveMutator(seed: random.next())
            mutator.change(&archive)
        } else {
            change(&archive)
        }
        var (result, headers) = archive.encoded
        if random.chance(30) {
            let start = headers.randomElement(using: &random)!
            BytePatch.apply(to: &result, in: start..<min(result.count, start + Self.headByteCount), &random)
        }
        return result
    }

    private mutating func change(_ archive: inout FuzzedZIP) {
        let index = random.pick(0...archive.members.count - 1)
        switch random.pick(0...6) {
        case 0: archive.members.remove(at: index)
        case 1: archive.members.insert(archive.members[index], at: 0)
        case 2: archive.members.swapAt(index, random.pick(0...archive.members.count - 1))
        case 3: archive.members[index].name = Array(Self.names.randomElement(using: &random)!.utf8)
        case 4: archive.members[index].name = libFuzzerMutated(archive.members[index].name, growth: 16)
        case 5: archive.isZIP64.toggle()
        default: archive.members[index].isDeflated.toggle()
        }
    }
}
