/// Immutable bytes that tensors share: owned memory or a mapped file.
package final class Storage: @unchecked Sendable {
    // The bytes are written only inside `init`, before anyone else can see them, and stay valid until `deinit`.
    package let bytes: UnsafeRawBufferPointer
    private let owner: AnyObject?

    /// The alignment of owned memory, in bytes: a cache line and the widest vector.
    package static let alignment = 64
    /// The bytes behind owned memory that may be read as well, so that kernels can read whole vectors.
    package static let slackByteCount = 256

    /// The bytes that may be read from the first one on.
    package var readableByteCount: Int { bytes.count + (owner == nil ? Self.slackByteCount : 0) }

    /// Owned memory, zeroed and then filled by `initialize`.
    package init<Failure: Error>(
        byteCount: Int, initialize: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(byteCount >= 0, "a storage of \(byteCount) bytes")
        let memory = Self.allocate(byteCount)
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

    /// Owned memory that holds anything: the caller fills `memory` before anyone else sees the storage.
    package init(unfilledByteCount byteCount: Int, memory: inout UnsafeMutableRawBufferPointer) {
        precondition(byteCount >= 0, "a storage of \(byteCount) bytes")
        memory = UnsafeMutableRawBufferPointer(rebasing: Self.allocate(byteCount)[..<byteCount])
        bytes = UnsafeRawBufferPointer(memory)
        owner = nil
    }

    private static func allocate(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
        let (total, overflow) = byteCount.addingReportingOverflow(slackByteCount)
        precondition(!overflow, "a storage of \(byteCount) bytes")
        return .allocate(byteCount: total, alignment: alignment)
    }

    /// A view of bytes that stay valid and unchanged while `owner` lives.
    package init(viewing bytes: UnsafeRawBufferPointer, of owner: AnyObject) {
        self.bytes = bytes
        self.owner = owner
    }

    var isMapped: Bool { owner is MappedFile }

    /// Lets go of memory that can be read again from a file.
    func releasePages(_ range: Range<Int>) { (owner as? MappedFile)?.releasePages(range) }

    deinit {
        if owner == nil { UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.deallocate() }
    }
}
