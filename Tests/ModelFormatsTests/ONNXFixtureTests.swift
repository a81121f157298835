import Foundation
import Graph
import ModelFormats
import TestSupport
import Testing

@Suite struct ONNXFixtureTests {
    @Test(arguments: Fixtures.onnxCases) func `loads each case, or refuses what has no meaning in inference`(
        _ name: String
    ) throws {
        let path = Fixtures.onnx + "/" + name
        if Fixtures.refusedCases.contains(name) {
            #expect(throws: ModelError.self) { try FormatCatalog.standard.load(path: path) }
        } else {
            #expect(try !FormatCatalog.standard.load(path: path).nodes.isEmpty)
        }
    }

    @Test func `keeps overridable weights apart`() throws {
        let overridable = try FormatCatalog.standard.load(path: Fixtures.onnx + "/overridable_weights")
        #expect(!overridable.overridableInputs.isEmpty)
        let listed = try FormatCatalog.standard.load(path: Fixtures.onnx + "/listed_inputs_ir3")
        #expect(listed.overridableInputs.isEmpty && listed.inputs.count == 1)
    }
}

/// Damage at every byte of small models: any error will do, a trap will not.
@Suite struct ONNXDamageTests {
    let folder = TemporaryFolder()

    static let cases = [
        "onnx/raw_data", "onnx/typed_fields", "onnx/constant_nodes", "onnx/symbolic_dims",
        "onnx/listed_inputs_ir3", "dialects/if_nested", "dialects/function_with_branches",
        "dialects/sparse_weights", "dialects/scan_sums",
    ]

    private func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: Fixtures.root + "/Tests/Fixtures/" + name + "/model.onnx")))
    }

    private func load(_ bytes: [UInt8]) {
        _ = try? ONNXFormat().load(path: folder.write(bytes, to: "model.onnx"))
    }

    @Test(arguments: cases) func `survives the loss of any end`(_ name: String) throws {
        let bytes = try bytes(name)
        for count in bytes.indices { load(Array(bytes[..<count])) }
    }

    @Test(arguments: cases) func `survives a change of any byte`(_ name: String) throws {
        let bytes = try bytes(name)
        for index in bytes.indices {
            for value in [0x00, 0xff, bytes[index] &+ 1, bytes[index] ^ 0x80] where value != bytes[index] {
                var damaged = bytes
                damaged[index] = value
                load(damaged)
            }
        }
    }
}
