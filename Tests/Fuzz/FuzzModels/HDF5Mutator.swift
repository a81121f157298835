import FuzzSupport

/// Changes an HDF5 file where it is: a byte more or less would make all addresses behind it wrong.
package struct HDF5Mutator {
    private let vocabulary: [String]
    private var random: Generator

    package init(seed: UInt64, vocabulary: [String] = []) {
        random = Generator(seed: seed)
        self.vocabulary = vocabulary
    }

    /// `nil` now and then, so that damaged files are tried too.
    package mutating func mutated(_ bytes: [UInt8]) -> [UInt8]? {
        guard !bytes.isEmpty, !random.chance(4) else { return nil }
        if random.chance(50), let changed = configurationChanged(bytes) { return changed }
        var result = bytes
        for _ in 0..<random.pick(1...3) {
            if random.chance(90) {
                BytePatch.apply(to: &result, in: 0..<result.count, &random)
            } else {
                let length = random.pick(1...min(64, result.count))
                let source = random.pick(0...result.count - length)
                let target = random.pick(0...result.count - length)
                result.replaceSubrange(
                    target..<target + length, with: Array(result[source..<source + length]))
            }
        }
        return result
    }

    /// The JSON text in an attribute, changed so that it is no longer than it was.
    private mutating func configurationChanged(_ bytes: [UInt8]) -> [UInt8]? {
        let begin = Array("{\"".utf8)
        guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: begin) }) else { return nil }
        let end = bytes[start...].firstIndex { $0 < 0x20 } ?? bytes.count
        var mutator = JSONMutator(seed: random.next(), vocabulary: vocabulary)
        guard let text = mutator.mutated(Array(bytes[start..<end])), text.count <= end - start else {
            return nil
        }
        var result = bytes
        let padding = [UInt8](repeating: UInt8(ascii: " "), count: end - start - text.count)
        result.replaceSubrange(start..<end, with: text + padding)
        return result
    }
}
