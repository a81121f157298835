import FuzzModels
import FuzzSupport
import ModelFormats
import Tensors

/// An archive of any bytes is read or refused; what its members hold is where they are said to be, and no two overlap.
/// JSON members are read, written and read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzZIP(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let file = FuzzFile(bytes, name: "archive.zip")
    guard let mapped = try? MappedFile(path: file.path), let archive = try? ZipArchive(mapped) else {
        return PlantedCrash.refused
    }
    var end = 0
    for member in archive.members.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
        precondition(member.range.lowerBound >= end && member.range.upperBound <= count, "members overlap")
        end = member.range.upperBound
        precondition(
            !member.name.hasPrefix("/") && !member.name.split(separator: "/").contains(".."), "a path escapes"
        )
        read(member, of: archive)
    }
    return 0
}

private let maximumByteCount = 1 << 20

private func read(_ member: ZipArchive.Member, of archive: ZipArchive) {
    if let range = try? archive.storedRange(of: member) { precondition(range.count == member.byteCount) }
    guard let contents = try? archive.contents(of: member, maximumByteCount: maximumByteCount) else { return }
    precondition(contents.count == member.byteCount)
    // The one seed is stored.
    if PlantedCrash.isPlanted, member.isDeflated { PlantedCrash.reached() }
    guard let json = try? JSONParser.parse(contents) else { return }
    let text = JSONWriter.text(json)
    do {
        let again = try JSONParser.parse(text)
        // As text: no NaN is equal to itself.
        precondition(JSONWriter.text(again) == text, "JSON is not read as it was written")
    } catch {
        preconditionFailure("JSON that was written is not read: \(error)")
    }
}

/// Changes a member, or a number of a header: bytes changed anywhere would rarely have the right checksum.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateZIP(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int, _ seed: CUnsignedInt
) -> Int {
    var mutator = HeaderMutator(seed: UInt64(seed))
    let mutated = mutator.mutated(UnsafeBufferPointer(start: start, count: count))
    return deliver(mutated, to: start, count, maximum)
}
