import Glibc

/// A file that appears under its name when it is complete, or not at all.
struct AtomicFile: ~Copyable {
    struct Failure: Error {
        let reason: String
    }

    private let path: String
    private let temporaryPath: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isComplete = false

    /// Shorter pieces are gathered into writes of this size.
    private static let bufferByteCount = 1 << 20
    /// The most that Linux takes in one `write` is a little more.
    private static let maximumWriteByteCount = 1 << 30
    private static let maximumNameAttempts = 100

    /// Opens a new file beside `path`.
    init(path: String) throws(Failure) {
        self.path = path
        for attempt in 0..<Self.maximumNameAttempts {
            let candidate = "\(path).\(getpid()).\(attempt).partial"
            let descriptor = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 {
                temporaryPath = candidate
                self.descriptor = descriptor
                buffer.reserveCapacity(Self.bufferByteCount)
                return
            }
            guard errno == EEXIST else { throw Self.failure() }
        }
        throw Failure(reason: "\(Self.maximumNameAttempts) unfinished files are beside it")
    }

    deinit {
        close(descriptor)
        if !isComplete { unlink(temporaryPath) }
    }

    mutating func append(_ bytes: [UInt8]) throws(Failure) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(Failure) in
            try append(UnsafeRawBufferPointer(bytes))
        }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        if buffer.count + bytes.count > Self.bufferByteCount { try flush() }
        if bytes.count >= Self.bufferByteCount {
            try write(bytes)
        } else {
            buffer.append(contentsOf: bytes)
        }
    }

    /// Puts the file in the place of any that is called `path`; `isDurable`: so that a power failure after that takes
    /// nothing of it.
    consuming func commit(isDurable: Bool) throws(Failure) {
        try flush()
        guard !isDurable || fsync(descriptor) == 0, rename(temporaryPath, path) == 0 else {
            throw Self.failure()
        }
        isComplete = true
    }

    private mutating func flush() throws(Failure) {
        let pending = buffer
        buffer.removeAll(keepingCapacity: true)
        try pending.withUnsafeBufferPointer { (bytes) throws(Failure) in
            try write(UnsafeRawBufferPointer(bytes))
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.maximumWriteByteCount))
            let count = Glibc.write(descriptor, part.baseAddress, part.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure() }
            rest = rest.dropFirst(count)
        }
    }

    private static func failure() -> Failure { Failure(reason: String(cString: strerror(errno))) }
}
