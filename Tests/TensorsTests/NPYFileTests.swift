import Foundation
import Tensors
import Testing

@Suite struct NPYFileTests {
    private func temporaryPath() -> String {
        NSTemporaryDirectory() + "npy-\(UUID().uuidString).npy"
    }

    private func read(_ bytes: [UInt8]) throws -> Tensor {
        let path = temporaryPath()
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try NPYFile.read(path: path)
    }

    private func file(_ header: String, data: [UInt8], version: UInt8 = 1) -> [UInt8] {
        let length =
            version == 1
            ? [UInt8(header.utf8.count & 0xff), UInt8(header.utf8.count >> 8)]
            : (0..<4).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
        return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + Array(header.utf8) + data
    }

    @Test func `a written tensor reads back the same`() throws {
        let path = temporaryPath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let tensor = try Tensor([Float(1.5), -2, .nan, .infinity, 0, 7], shape: Shape([2, 3]))
        try NPYFile.write(tensor, path: path)
        let back = try NPYFile.read(path: path)
        #expect(back.shape == tensor.shape)
        #expect(
            try back.elements(as: Float.self).map(\.bitPattern)
                == tensor.elements(as: Float.self).map(\.bitPattern))
        // NumPy aligns the elements to 64 bytes.
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 128 + 24)
    }

    @Test(arguments: [[], [1], [0, 5], [2, 1, 3]]) func `every rank keeps its shape`(_ dimensions: [Int])
        throws
    {
        let path = temporaryPath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let shape = try Shape(dimensions)
        try NPYFile.write(Tensor([Int64](repeating: 9, count: shape.count), shape: shape), path: path)
        #expect(try NPYFile.read(path: path).shape == shape)
    }

    @Test func `fortran order is rearranged`() throws {
        // NumPy: np.asfortranarray([[1, 2, 3], [4, 5, 6]], dtype=np.uint8) is stored column by column.
        let bytes = file(
            "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n", data: [1, 4, 2, 5, 3, 6])
        #expect(try read(bytes).elements(as: UInt8.self) == [1, 2, 3, 4, 5, 6])
    }

    @Test func `versions 2 and 3 have a longer length field`() throws {
        for version: UInt8 in [2, 3] {
            let bytes = file(
                "{'descr': '<i2', 'fortran_order': False, 'shape': (1,), }", data: [2, 1], version: version)
            #expect(try read(bytes).elements(as: Int16.self) == [258])
        }
    }

    static let malformed: [(header: String, dataByteCount: Int, reason: String)] = [
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 8, "needs 12 bytes, got 8"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 8, "needs 4 bytes, got 8"),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }", 8,
            "4398046511104 bytes, got 8"
        ),
        ("{'descr': '<f4', 'fortran_order': True, 'shape': (1048576, 1048576), }", 8, "bytes, got 8"),
        ("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 4, "'>f4' is not supported"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 4, "'|O' is not supported"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4, "no integer"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 4, "no integer"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 4, "more elements"),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807, 2), }", 0,
            "more elements"
        ),
        ("{'descr': '<f4', 'fortran_order': False}", 4, "exactly the keys"),
        (
            "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4,
            "unexpected key 'descr'"
        ),
        ("{'descr': '<f4', 'fortran_order': 1, 'shape': ()}", 4, "'False'"),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", 4, "lacks a string"),
        ("", 0, "'{'"),
        ("{'descr", 0, "lacks a string"),
    ]

    @Test(arguments: malformed.indices) func `a malformed file gets its reason`(_ index: Int) throws {
        let (header, dataByteCount, reason) = Self.malformed[index]
        let error = #expect(throws: TensorError.self) {
            try read(file(header, data: [UInt8](repeating: 0, count: dataByteCount)))
        }
        #expect(error.map(String.init(describing:))?.contains(reason) == true, "\(String(describing: error))")
    }

    @Test func `every truncation is refused`() throws {
        let whole = file(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n",
            data: [UInt8](repeating: 1, count: 8))
        for count in 0..<whole.count {
            #expect(throws: TensorError.self) { try read(Array(whole[..<count])) }
        }
    }

    @Test func `a missing file and a folder are refused`() {
        #expect(throws: TensorError.file(path: "/nowhere.npy", reason: "No such file or directory")) {
            try NPYFile.read(path: "/nowhere.npy")
        }
        #expect(throws: TensorError.file(path: "/", reason: "not a regular file")) {
            try NPYFile.read(path: "/")
        }
    }
}
