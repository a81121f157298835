import Tensors
import TestSupport
import Testing

import ModelFormats

@Suite struct ZipArchiveTests {
    let folder = TemporaryFolder()

    @Test func `finds stored members as ranges of the file`() throws {
        let zip = ZipFile([.init("a/one", "first"), .init("a/", ""), .init("a/two", "second")])
        let archive = try open(zip.bytes)
        #expect(archive.members.map(\.name) == ["a/one", "a/two"])
        let two = try #require(archive["a/two"])
        #expect(archive.file.bytes[try archive.storedRange(of: two)].elementsEqual("second".utf8))
        #expect(try archive.contents(of: two, maximumByteCount: 6) == Array("second".utf8))
        #expect(archive["a/"] == nil)
    }

    @Test func `expands deflated members and does not take them for ranges`() throws {
        let archive = try open(ZipFile([ZipFile.Member("config", "{\"a\": 1}").deflated()]).bytes)
        let member = try #require(archive["config"])
        #expect(try archive.contents(of: member, maximumByteCount: 100) == Array("{\"a\": 1}".utf8))
        #expect(throws: ModelError.self) { try archive.storedRange(of: member) }
    }

    @Test func `reads a ZIP64 directory, a comment and an empty archive`() throws {
        var zip = ZipFile([.init("one", "1"), .init("two", "2")])
        zip.isZip64 = true
        zip.comment = Array("PK\u{05}\u{06} is no directory here".utf8)
        #expect(try open(zip.bytes).members.count == 2)
        #expect(try open(ZipFile([]).bytes).members.isEmpty)
    }

    @Test(arguments: [
        "/etc/passwd", "../up", "a/../../up", "a//b", ".", "./a", "a\\b", "", "nul\0",
    ]) func `refuses a name that is no plain relative path`(_ name: String) {
        #expect(refusal(ZipFile([.init(name, "x")]).bytes) != nil)
    }

    @Test func `refuses what it cannot read`() {
        let plain = ZipFile.Member("a", "abc")
        var encrypted = plain
        encrypted.flags = 1
        #expect(refusal(ZipFile([encrypted]).bytes)?.contains("encrypted") == true)
        var squeezed = plain
        squeezed.method = 12
        #expect(refusal(ZipFile([squeezed]).bytes)?.contains("method 12") == true)
        #expect(refusal(ZipFile([plain, plain]).bytes)?.contains("twice") == true)
        var split = ZipFile([plain])
        split.diskNumber = 1
        #expect(refusal(split.bytes)?.contains("several files") == true)
        #expect(refusal([])?.contains("no directory") == true)
        #expect(refusal(Array("PK".utf8))?.contains("no directory") == true)
        #expect(refusal([0] + ZipFile([plain]).bytes)?.contains("not where") == true)
    }

    @Test func `refuses members that overlap`() {
        var second = ZipFile.Member("a", "abc")
        second.statedOffset = 0
        var first = second
        first.statedOffset = nil
        #expect(refusal(ZipFile([first, second]).bytes)?.contains("overlap") == true)
    }

    @Test func `refuses sizes that lie before it takes memory`() throws {
        var stored = ZipFile.Member("a", "abc")
        stored.statedByteCount = 4
        #expect(refusal(ZipFile([stored]).bytes)?.contains("differ") == true)
        var bomb = ZipFile.Member("a", "abc").deflated()
        bomb.statedByteCount = .max
        #expect(refusal(ZipFile([bomb]).bytes)?.contains("expand") == true)
        for count in [2, 4] as [UInt32] {
            bomb.statedByteCount = count
            let archive = try open(ZipFile([bomb]).bytes)
            #expect(throws: ModelError.self) {
                try archive.contents(of: archive.members[0], maximumByteCount: 100)
            }
        }
        let archive = try open(ZipFile([.init("a", "abc")]).bytes)
        #expect(throws: ModelError.self) { try archive.contents(of: archive.members[0], maximumByteCount: 2) }
    }

    @Test func `refuses damaged contents by their checksum`() throws {
        var bytes = ZipFile([.init("a", "abc")]).bytes
        bytes[32] ^= 1
        let archive = try open(bytes)
        #expect(throws: ModelError.self) {
            try archive.contents(of: archive.members[0], maximumByteCount: 100)
        }
    }

    @Test func `refuses every archive that is cut off, and survives every changed byte`() {
        var zip = ZipFile([.init("one", "first"), ZipFile.Member("two", "second").deflated()])
        zip.isZip64 = true
        let bytes = zip.bytes
        for count in 0..<bytes.count { #expect(refusal(Array(bytes[..<count])) != nil) }
        for index in bytes.indices {
            for value in [0, 1, 0x7F, 0xFF] as [UInt8] {
                var changed = bytes
                changed[index] = value
                guard let archive = try? open(changed) else { continue }
                for member in archive.members {
                    _ = try? archive.contents(of: member, maximumByteCount: 1 << 20)
                }
            }
        }
    }

    private func open(_ bytes: [UInt8]) throws -> ZipArchive {
        try ZipArchive(MappedFile(path: folder.write(bytes, to: "archive.zip")))
    }

    private func refusal(_ bytes: [UInt8]) -> String? {
        do {
            _ = try open(bytes)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
