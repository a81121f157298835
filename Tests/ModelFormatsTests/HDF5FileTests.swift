import Foundation
import Tensors
import Testing

import ModelFormats

/// The files are h5py's, and so is what they hold: see Tests/Fixtures/hdf5/make.py.
@Suite struct HDF5FileTests {
    static let folder = Fixtures.root + "/Tests/Fixtures/hdf5/"

    /// `keras.layers.dense.vars.0`: the file, and the data set's path in it.
    static let dataSets = names(in: folder, ending: ".npy")
    static let refused = [
        "big_endian": "big-endian HDF5 numbers are not supported",
        "chunks_latest": "HDF5 chunks with an index of version 4 are not supported",
        "committed_type": "shared HDF5 messages are not supported",
        "complex": "HDF5 elements of compound type are not supported",
        "compound": "HDF5 elements of compound type are not supported",
        "enumeration": "HDF5 elements of enumeration type are not supported",
        "float128": "HDF5 numbers of 16 bytes of this kind are not supported",
        "group": "the HDF5 object is no data set",
        "lists": "HDF5 elements of variable-length type are not supported",
        "lzf": "HDF5 filter 32000 is not supported",
        "many_links": "dense HDF5 groups are not supported",
        "missing_chunks": "an HDF5 data set has 1 of 10 chunks",
        "opaque": "HDF5 elements of opaque type are not supported",
        "scale_offset": "HDF5 filter 6 is not supported",
        "text": "the HDF5 data set holds no numbers",
        "userblock": "not an HDF5 file",
        "virtual": "HDF5 data layout class 3 is not supported",
    ]

    @Test(arguments: dataSets) func `reads what h5py reads`(_ name: String) throws {
        let parts = name.split(separator: ".", maxSplits: 1)
        let path = String(parts[1]).replacing(".", with: "/")
        let root = try open("\(Self.folder)\(parts[0]).h5").root
        let object = try #require(try root.object(at: path))
        let (actual, expected) = (try object.tensor(), try NPYFile.read(path: Self.folder + name + ".npy"))
        #expect(actual.elementType == expected.elementType && actual.shape == expected.shape)
        #expect(actual.withUnsafeBytes { Array($0) } == expected.withUnsafeBytes { Array($0) })
    }

    @Test(arguments: ["keras", "keras_v108", "keras_latest"])
    func `reads groups and their attributes`(_ name: String) throws {
        let root = try open(Self.folder + name + ".h5").root
        #expect(try root.strings("keras_version") == ["2.15.0"])
        #expect(try root.strings("model_config")?.first?.hasPrefix("{\"class_name\"") == true)
        #expect(try root.strings("weight_names") == nil)
        let dense = try #require(try root.object(at: "layers/dense"))
        #expect(try dense.strings("name") == ["dense"])
        #expect(try dense.strings("weight_names") == ["dense/kernel:0", "dense/bias:0"])
        #expect(try root.object(at: "layers/dense/vars/2") == nil)
        #expect(try root.file.links(of: dense).keys.sorted() == ["count", "vars"])
    }

    @Test(arguments: ["types", "types_latest"])
    func `reads attributes of fixed length, and empty ones`(_ name: String) throws {
        let root = try open(Self.folder + name + ".h5").root
        #expect(try root.strings("weight_names") == ["a", "bcd"])
        #expect(try root.strings("name") == ["fixed"])
        #expect(try root.strings("none") == [])
    }

    @Test func `reads groups of many nodes, and headers that are continued`() throws {
        let root = try open(Self.folder + "crowded.h5").root
        let group = try #require(try root.object(at: "group"))
        #expect(try root.file.links(of: group).count == 40)
        #expect(try root.strings("keras_version") == ["3.15.1"])
        #expect(try root.strings("attribute11") == [String(repeating: "text", count: 11)])
    }

    @Test(arguments: refused.keys.sorted()) func `refuses by name what it does not read`(_ name: String) {
        let error = #expect(throws: HDF5Error.self) {
            try open(Self.folder + "refused/" + name + ".h5").root.object(at: "x")?.tensor()
        }
        #expect(error?.reason == Self.refused[name])
    }

    @Test func `refuses attributes that it does not read`() throws {
        for (name, reason) in [
            ("many_attributes", "dense HDF5 attributes are not supported"),
            ("number_attribute", "the HDF5 attribute 'model_config' holds no text"),
        ] {
            let root = try open(Self.folder + "refused/" + name + ".h5").root
            let error = #expect(throws: HDF5Error.self) { try root.strings("model_config") }
            #expect(error?.reason == reason)
        }
    }

    /// Every byte takes minutes; FuzzHDF5 does the rest.
    @Test(arguments: ["keras", "keras_latest", "chunks"])
    func `survives the loss of its end, and changed bytes`(_ name: String) throws {
        let bytes = Array(try Data(contentsOf: URL(filePath: Self.folder + name + ".h5")))
        for index in stride(from: 0, to: bytes.count, by: 23) {
            walk(Array(bytes[..<index]))
            for value in [0xff, bytes[index] &+ 1] {
                var damaged = bytes
                damaged[index] = value
                walk(damaged)
            }
        }
    }

    /// Reads whatever can be read.
    private func walk(_ bytes: [UInt8]) {
        let storage = Storage(byteCount: bytes.count) { memory in
            bytes.withUnsafeBytes { memory.copyMemory(from: $0) }
        }
        guard let file = try? HDF5File(storage, range: 0..<bytes.count), let root = try? file.root else {
            return
        }
        for name in ["model_config", "keras_version"] { _ = try? root.strings(name) }
        for path in ["layers/dense/vars/0", "layers/dense/vars/1", "gzip", "shuffled", "volume", "growing"] {
            _ = try? root.object(at: path)?.tensor()
        }
    }

    private func open(_ path: String) throws -> HDF5File {
        let file = try MappedFile(path: path)
        return try HDF5File(file.storage, range: 0..<file.bytes.count)
    }

    private static func names(in folder: String, ending suffix: String) -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? []
        return files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.utf8.count)) }
    }
}
