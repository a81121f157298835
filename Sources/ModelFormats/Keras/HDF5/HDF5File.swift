import Tensors

/// An HDF5 file as h5py writes it by default: superblock version 0, groups as symbol tables, contiguous data. Also read
/// are superblock versions 1 to 3, small groups of links, compact data and chunks with deflate and shuffle. The rest is
/// refused by name.
///
/// Source: HDF5 File Format Specification Version 3.0.
package final class HDF5File {
    let bytes: HDF5Bytes
    private let rootAddress: Int
    private var remainingSteps = HDF5Limits.maximumStepCount
    private var links: [Int: [String: Int]] = [:]

    private static let offsetByteCount = 8

    /// Traps when `range` is not inside `storage`.
    package init(_ storage: Storage, range: Range<Int>) throws(HDF5Error) {
        bytes = HDF5Bytes(storage, range: range)
        guard Self.hasSignature(bytes) else {
            throw HDF5Error(reason: "not an HDF5 file", byteOffset: 0)
        }
        rootAddress = try Self.rootAddress(bytes)
    }

    /// Whether the file begins as one of HDF5 does.
    static func hasSignature(_ file: MappedFile) -> Bool {
        hasSignature(HDF5Bytes(file.storage, range: 0..<file.bytes.count))
    }

    private static func hasSignature(_ bytes: HDF5Bytes) -> Bool {
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        guard let start = try? bytes.bytes(signature.count, at: 0) else { return false }
        return start.elementsEqual(signature)
    }

    private static func rootAddress(_ bytes: HDF5Bytes) throws(HDF5Error) -> Int {
        let version = try bytes.byte(at: 8)
        let sizes: Int
        let base: Int
        let root: Int
        switch version {
        case 0, 1:
            (sizes, base) = (13, version == 0 ? 24 : 28)
            // Four addresses, then the root group's symbol table entry: its name, its object header.
            root = base + 5 * offsetByteCount
        case 2, 3:
            (sizes, base) = (9, 12)
            root = base + 3 * offsetByteCount
        default: throw HDF5Error(reason: "HDF5 superblock version \(version) is not supported", byteOffset: 8)
        }
        guard try bytes.byte(at: sizes) == offsetByteCount, try bytes.byte(at: sizes + 1) == offsetByteCount
        else {
            throw HDF5Error(
                reason: "HDF5 addresses of other than 8 bytes are not supported", byteOffset: sizes)
        }
        guard try bytes.offset(at: base) == 0 else {
            throw HDF5Error(reason: "an HDF5 base address is not supported", byteOffset: base)
        }
        return try bytes.offset(at: root)
    }

    /// Throws when the file makes the reader do more than it may.
    func step(_ count: Int = 1) throws(HDF5Error) {
        remainingSteps -= count
        guard remainingSteps >= 0 else {
            throw HDF5Error(reason: "the HDF5 file has more than \(HDF5Limits.maximumStepCount) parts")
        }
    }

    package var root: HDF5Object {
        get throws(HDF5Error) { try HDF5Object(self, at: rootAddress) }
    }

    /// The addresses of a group's objects by name, read once.
    package func links(of object: HDF5Object) throws(HDF5Error) -> [String: Int] {
        if let known = links[object.address] { return known }
        let read = try HDF5GroupReader(file: self).links(of: object)
        links[object.address] = read
        return read
    }
}
