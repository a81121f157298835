/// Immutable bytes that tensors share: owned memory or a mapped file.
package final class Storage: @unchecked Sendable {
    // The bytes are written only inside `init`, before anyone else can see them, and stay valid until `deinit`.
    package let bytes: UnsafeRawBufferPointer
    private let owner: AnyObject?

    /// The alignment of owned memory, in bytes: a cache line and the widest vector.
    package static let alignment = 64

    /// Owned memory, zeroed and then filled by `initialize`.
    package init<Failure: Error>(
        byteCount: Int, initialize: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(byteCount >= 0, "a storage of \(byteCount) bytes")
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(byteCount, 1), alignment: Self.alignment)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        let bytes = UnsafeMutableRawBufferPointer(rebasing: memory[..<byteCount])
        do {
            try initialize(bytes)
        } catch {
            memory.deallocate()
            throw error
        }
        self.bytes = UnsafeRawBufferPointer(bytes)
        owner = nil
    }

    /// A view of bytes that stay valid and unchanged while `owner` lives.
    package init(viewing bytes: UnsafeRawBufferPointer, of owner: AnyObject) {
        self.bytes = bytes
        self.owner = owner
    }

    /// Lets go of memory that can be read again from a file.
    func releasePages(_ range: Range<Int>) { (owner as? MappedFile)?.releasePages(range) }

    deinit {
        if owner == nil { UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.deallocate() }
    }
}
