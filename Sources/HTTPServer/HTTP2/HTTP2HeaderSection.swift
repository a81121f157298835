import Glibc

/// The head of a request as it arrives, and the one before: clients mostly repeat it, and what it means need not be found
/// out again then.
///
/// Fields lie one behind the other: four bytes of a name's length, four of its value's, the name, the value.
struct HTTP2HeaderSection {
    /// Whose head it is.
    private(set) var stream: Int32 = 0
    /// Of all names and values.
    private(set) var byteCount = 0
    /// While `isRepeating`, what was taken is in `known` alone.
    private var bytes: [UInt8] = []
    private var known: [UInt8] = []
    private var isRepeating = false
    private var repeatedByteCount = 0

    private static let lengthByteCount = 8
    /// Longer ones are not kept.
    private static let maximumKnownByteCount = 1 << 10

    mutating func begin(stream: Int32) {
        self.stream = stream
        byteCount = 0
        bytes.removeAll(keepingCapacity: true)
        isRepeating = true
        repeatedByteCount = 0
    }

    mutating func append(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
        byteCount += name.count + value.count
        let lengths = UInt64(UInt32(name.count)) | UInt64(UInt32(value.count)) << 32
        if isRepeating {
            if comesNext(lengths, name, value) {
                repeatedByteCount += Self.lengthByteCount + name.count + value.count
                return
            }
            stopRepeating()
        }
        withUnsafeBytes(of: lengths) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: name)
        bytes.append(contentsOf: value)
    }

    /// The head is complete: what comes for its stream from here on is no part of it.
    mutating func end() { stream = 0 }

    /// Whether the head, all of which is there, has the fields of the one before, in the same order.
    var isRepetition: Bool { isRepeating && !known.isEmpty && repeatedByteCount == known.count }

    /// Hands out each field until `body` throws, and keeps the head as the one before where it is short.
    mutating func take<Failure: Error>(
        _ body: (_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>)
            throws(Failure) -> Void
    ) throws(Failure) {
        if isRepeating { stopRepeating() }
        swap(&bytes, &known)
        bytes = []
        defer { if known.count > Self.maximumKnownByteCount { known = [] } }
        try known.withUnsafeBufferPointer { (buffer) throws(Failure) in
            var offset = 0
            while offset < buffer.count {
                let lengths = UnsafeRawBufferPointer(buffer).loadUnaligned(
                    fromByteOffset: offset, as: UInt64.self)
                let name = offset + Self.lengthByteCount
                let value = name + Int(lengths & 0xFFFF_FFFF)
                offset = value + Int(lengths >> 32)
                try body(
                    UnsafeBufferPointer(rebasing: buffer[name..<value]),
                    UnsafeBufferPointer(rebasing: buffer[value..<offset]))
            }
        }
    }

    private func comesNext(
        _ lengths: UInt64, _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        known.withUnsafeBytes { known in
            let count = Self.lengthByteCount + name.count + value.count
            guard known.count - repeatedByteCount >= count,
                known.loadUnaligned(fromByteOffset: repeatedByteCount, as: UInt64.self) == lengths
            else { return false }
            let place = known.baseAddress! + repeatedByteCount + Self.lengthByteCount
            return Self.isSame(place, name) && Self.isSame(place + name.count, value)
        }
    }

    private static func isSame(_ place: UnsafeRawPointer, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.isEmpty || memcmp(place, bytes.baseAddress!, bytes.count) == 0
    }

    private mutating func stopRepeating() {
        isRepeating = false
        bytes.append(contentsOf: known[..<repeatedByteCount])
    }
}
