import Tensors

/// The bytes of an HDF5 file, read by address; every read is checked.
struct HDF5Bytes {
    let storage: Storage
    /// Where the file lies in `storage`: the whole of it, or a member of an archive.
    let range: Range<Int>

    /// The address that stands for none.
    static let undefinedAddress = UInt64.max

    /// Traps when `range` is not inside `storage`: whoever found the range has checked it.
    init(_ storage: Storage, range: Range<Int>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= storage.bytes.count, "a file outside its storage")
        self.storage = storage
        self.range = range
    }

    var count: Int { range.count }

    /// Throws unless `byteCount` bytes are there from `address` on.
    func require(_ byteCount: Int, at address: Int) throws(HDF5Error) {
        guard address >= 0, byteCount >= 0, address <= count, byteCount <= count - address else {
            throw HDF5Error(
                reason: "the HDF5 file ends inside a structure of \(byteCount) bytes", byteOffset: address)
        }
    }

    func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type, at address: Int
    ) throws(HDF5Error) -> Value {
        try require(MemoryLayout<Value>.size, at: address)
        return Value(
            littleEndian: storage.bytes.loadUnaligned(fromByteOffset: range.lowerBound + address, as: type))
    }

    func byte(at address: Int) throws(HDF5Error) -> Int { Int(try integer(UInt8.self, at: address)) }
    func short(at address: Int) throws(HDF5Error) -> Int { Int(try integer(UInt16.self, at: address)) }
    func word(at address: Int) throws(HDF5Error) -> Int { Int(try integer(UInt32.self, at: address)) }

    /// A length or an address of eight bytes, which must be inside the file's size.
    func offset(at address: Int) throws(HDF5Error) -> Int {
        let value = try integer(UInt64.self, at: address)
        guard let offset = Int(exactly: value), offset <= count else {
            throw HDF5Error(reason: "the HDF5 file points past its end", byteOffset: address)
        }
        return offset
    }

    /// A length of eight bytes of anything, such as an extent.
    func length(at address: Int) throws(HDF5Error) -> Int {
        let value = try integer(UInt64.self, at: address)
        guard let length = Int(exactly: value) else {
            throw HDF5Error(reason: "a length of \(value) in the HDF5 file", byteOffset: address)
        }
        return length
    }

    /// An unsigned number of 1, 2, 4 or 8 bytes.
    func number(byteCount: Int, at address: Int) throws(HDF5Error) -> Int {
        switch byteCount {
        case 1: try byte(at: address)
        case 2: try short(at: address)
        case 4: try word(at: address)
        default: try length(at: address)
        }
    }

    func requireSignature(_ signature: StaticString, at address: Int) throws(HDF5Error) {
        let length = signature.utf8CodeUnitCount
        try require(length, at: address)
        let start = range.lowerBound + address
        guard (0..<length).allSatisfy({ storage.bytes[start + $0] == signature.utf8Start[$0] }) else {
            throw HDF5Error(reason: "the HDF5 file has no '\(signature)'", byteOffset: address)
        }
    }

    func bytes(_ byteCount: Int, at address: Int) throws(HDF5Error) -> UnsafeRawBufferPointer {
        try require(byteCount, at: address)
        let start = range.lowerBound + address
        return UnsafeRawBufferPointer(rebasing: storage.bytes[start..<start + byteCount])
    }

    /// Text of at most `maximumByteCount` bytes that ends at its first NUL.
    func text(_ maximumByteCount: Int, at address: Int) throws(HDF5Error) -> String {
        let content = try bytes(maximumByteCount, at: address).prefix { $0 != 0 }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw HDF5Error(reason: "a text in the HDF5 file is not UTF-8", byteOffset: address)
        }
        return text
    }

    /// A name that ends with NUL before `end`.
    func name(at address: Int, before end: Int) throws(HDF5Error) -> String {
        guard address < end else { throw HDF5Error(reason: "a name outside its heap", byteOffset: address) }
        let available = min(end - address, HDF5Limits.maximumNameByteCount + 1)
        let content = try bytes(available, at: address)
        guard content.contains(0) else {
            throw HDF5Error(reason: "a name in the HDF5 file does not end", byteOffset: address)
        }
        return try text(available, at: address)
    }
}
