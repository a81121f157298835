import Foundation
import Tensors
import Testing

@Suite struct MappedFileTests {
    private static let pageByteCount = Int(getpagesize())

    /// A file of two pages of ones; the caller removes it.
    private func file() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(
            path: "foldserve-mapped-\(UUID().uuidString)"
        ).path
        try Data(repeating: 1, count: 2 * Self.pageByteCount).write(to: URL(filePath: path))
        return path
    }

    @Test func `a detached tensor does not change with the file that it came from`() throws {
        let path = try file()
        defer { unlink(path) }
        let mapped = try Tensor(
            elementType: .uint8, shape: Shape([4]), storage: MappedFile(path: path).storage, byteOffset: 8)
        let detached = mapped.detached
        let descriptor = open(path, O_WRONLY)
        pwrite(descriptor, [2, 2, 2, 2] as [UInt8], 4, 8)
        close(descriptor)
        #expect(try mapped.elements(as: UInt8.self) == [2, 2, 2, 2])
        #expect(try detached.elements(as: UInt8.self) == [1, 1, 1, 1])
    }

    @Test func `a file that is cut short reads as zeros behind its end, again and again`() throws {
        MappedFile.surviveCutFiles()
        for _ in 0..<3 {
            let path = try file()
            defer { unlink(path) }
            let mapped = try MappedFile(path: path)
            truncate(path, Self.pageByteCount)
            #expect(mapped.bytes[Self.pageByteCount] == 0 && mapped.bytes[2 * Self.pageByteCount - 1] == 0)
            #expect(mapped.bytes[0] == 1 && mapped.bytes[Self.pageByteCount - 1] == 1)
            truncate(path, 0)
            #expect(mapped.bytes[0] == 0)
        }
    }

    @Test func `what is no file is refused and does not block`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "fifo-\(UUID().uuidString)").path
        mkfifo(path, 0o600)
        defer { unlink(path) }
        #expect(throws: TensorError.file(path: path, reason: "not a regular file")) {
            try MappedFile(path: path)
        }
        #expect(throws: TensorError.self) { try MappedFile(path: path + "/missing") }
    }
}
