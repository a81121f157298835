import Foundation
import Graph
import ModelFormats
import Tensors
import TestSupport
import Testing

@Suite struct PyTorchRefusalTests {
    let folder = TemporaryFolder()

    /// Text in a member's JSON, what stands there instead, and what the error says.
    struct Change: CustomTestStringConvertible {
        let fixture: String
        let member: String
        let original: String
        let changed: String
        let reason: String

        var testDescription: String { reason }

        init(_ fixture: String, _ member: String, _ original: String, _ changed: String, _ reason: String) {
            self.fixture = fixture
            self.member = member
            self.original = original
            self.changed = changed
            self.reason = reason
        }
    }

    private static let model = "models/model.json"
    private static let weights = "data/weights/model_weights_config.json"
    private static let sizes = "\"sizes\": [{\"as_int\": 12}, {\"as_int\": 10}]"
    private static let strides = "\"strides\": [{\"as_int\": 1}, {\"as_int\": 12}]"
    private static let offset = "\"storage_offset\": {\"as_int\": 120}"

    static let programs = [
        Change(
            "preact", model, "aten.prelu.default", "aten.unheard.default",
            "unsupported operators: aten.unheard.default (4/prelu)"),
        Change(
            "preact", model, "\"training\", \"arg\": {\"as_bool\": false}",
            "\"training\", \"arg\": {\"as_bool\": true}", "was exported in training mode"),
        Change("preact", model, "\"major\": 8", "\"major\": 9", "export schema version 9 is not supported"),
        Change(
            "preact", model, "\"buffer_name\": \"0.running_mean\"", "\"buffer_name\": \"0.mean\"",
            "tensor '0.mean': is not in the file"),
        Change(
            "preact", model, "\"target\": \"torch.ops.aten.conv2d.default\"",
            "\"target\": \"torch.ops.aten.conv3d.default\"", "takes inputs and weights of rank 5"),
        Change(
            "preact", model, "\"sizes\": [{\"as_int\": 6}, {\"as_int\": 32}]",
            "\"sizes\": [{\"as_int\": -6}, {\"as_int\": 32}]", "negative"),
        Change(
            "contexts", model,
            "{\"as_scalar_type\": 13}, \"kind\": 1}, {\"name\": \"\", \"arg\": {\"as_bool\": false}",
            "{\"as_scalar_type\": 13}, \"kind\": 1}, {\"name\": \"\", \"arg\": {\"as_bool\": true}",
            "a part runs with autocast: export the model without it"),
        Change(
            "windows", model, "\"as_ints\": [9, 8]", "\"as_ints\": [9223372036854775807, 8]",
            "gives images, not [9223372036854775807, 8]"),
        Change("contexts", model, "\"as_graph\"", "\"as_graft\"", "has no graph"),
        Change("preact", model, "\"nodes\"", "\"knots\"", "holds no graph with a signature"),
        Change("preact", "byteorder", "little", "big", "its weights are not little-endian"),
    ]

    static let weightMaps = [
        Change(
            "strided", weights, "\"use_pickle\": false", "\"use_pickle\": true",
            "is pickled (use_pickle), which is never opened"),
        Change(
            "strided", weights, sizes, "\"sizes\": [{\"as_int\": 12}, {\"as_int\": 1000}]",
            "reaches element 11999 of a storage that has 400"),
        Change(
            "strided", weights, sizes, "\"sizes\": [{\"as_int\": 12}, {\"as_int\": 11}]", "B has 11 rows"),
        Change(
            "strided", weights, sizes,
            "\"sizes\": [{\"as_int\": 9223372036854775807}, {\"as_int\": 9223372036854775807}]", "elements"),
        Change("strided", weights, sizes, "\"sizes\": [{\"as_int\": -12}, {\"as_int\": 10}]", "negative"),
        Change(
            "strided", weights, sizes, "\"sizes\": [{\"as_int\": 12}]",
            "its sizes, strides and offset are not as they should be"),
        Change(
            "strided", weights, strides, "\"strides\": [{\"as_int\": -1}, {\"as_int\": 12}]",
            "an offset or a stride is negative"),
        Change(
            "strided", weights, strides,
            "\"strides\": [{\"as_int\": 9223372036854775807}, {\"as_int\": 12}]", "its strides are too large"),
        Change(
            "strided", weights, strides, "\"strides\": [{\"as_int\": 1}, {\"as_int\": 44}]",
            "reaches element 407 of a storage that has 400"),
        Change(
            "strided", weights, offset, "\"storage_offset\": {\"as_int\": 305}",
            "reaches element 400 of a storage that has 400"),
        Change(
            "strided", weights, offset, "\"storage_offset\": {\"as_int\": -1}",
            "an offset or a stride is negative"),
        Change("strided", weights, "\"dtype\": 7", "\"dtype\": 9", "its element type is not supported"),
        Change("strided", weights, "\"dtype\": 7", "\"dtype\": 8", "of a storage that has 200"),
        Change("strided", weights, "\"layout\": 7", "\"layout\": 1", "is not strided"),
        Change(
            "strided", weights, "\"weight_0\"", "\"weight_7\"", "data/weights/weight_7 is not in the file"),
        Change("strided", weights, "\"weight_0\"", "\"../../../../etc/passwd\"", "is not in the file"),
    ]

    @Test(arguments: programs + weightMaps) func `refuses by name what it cannot use`(_ change: Change) throws
    {
        let members = try PyTorchFixtures.members(change.fixture) { name, contents in
            guard name == change.member else { return contents }
            let text = String(decoding: contents, as: UTF8.self)
            let isThere = text.contains(change.original)
            #expect(isThere)
            return Array(text.replacingOccurrences(of: change.original, with: change.changed).utf8)
        }
        let reason = try #require(refusal(members))
        #expect(reason.contains(change.reason), "\(reason)")
    }

    @Test func `loads what is written again unchanged`() throws {
        #expect(try refusal(PyTorchFixtures.members("strided")) == nil)
    }

    @Test func `refuses weights that the archive cuts short or compresses`() throws {
        let short = try PyTorchFixtures.members("strided") { name, contents in
            name == "data/weights/weight_0" ? Array(contents.dropLast(400)) : contents
        }
        #expect(refusal(short)?.contains("reaches element 311 of a storage that has 300") == true)
        let compressed = try PyTorchFixtures.members("strided").map {
            $0.name.hasSuffix("weight_0") ? $0.deflated() : $0
        }
        #expect(refusal(compressed)?.contains("is compressed") == true)
    }

    @Test(arguments: ["pt", "pth", "ckpt", "torchscript"])
    func `tells of other files of PyTorch what to do instead`(_ name: String) {
        let path = folder.write([0x80, 2], to: "model." + name)
        #expect(reason { try FormatCatalog.standard.load(path: path) }?.contains(Self.advice) == true)
    }

    @Test(arguments: [
        ("archive/constants.pkl", "a TorchScript file; "),
        ("archive/data.pkl", "a PyTorch checkpoint, which holds weights and no graph; "),
        ("serialized_exported_program.json", "an exported program of PyTorch before 2.8"),
        ("mimetype", "not a PyTorch exported program"),
    ]) func `tells what an archive is instead`(_ member: String, _ expected: String) {
        #expect(refusal([ZipFile.Member(member, "x")])?.contains(expected) == true)
    }

    @Test func `knows a bare pickle`() {
        let path = folder.write([0x80, 2, 0x7d], to: "model.pt2")
        #expect(reason { try PyTorchFormat().load(path: path) }?.contains("a pickle; ") == true)
    }

    @Test func `survives the loss of any end and a change of any byte`() throws {
        let bytes = Array(try Data(contentsOf: URL(filePath: PyTorchFixtures.path("strided"))))
        for count in stride(from: 0, to: bytes.count, by: 97) { load(Array(bytes[..<count])) }
        for index in stride(from: 0, to: bytes.count, by: 29) {
            for value in [0x00, 0xff, bytes[index] &+ 1, bytes[index] ^ 0x80] where value != bytes[index] {
                var damaged = bytes
                damaged[index] = value
                load(damaged)
            }
        }
    }

    private static let advice = "write one with torch.export.save(torch.export.export(model.eval(), "

    private func load(_ bytes: [UInt8]) {
        _ = try? PyTorchFormat().load(path: folder.write(bytes, to: "model.pt2"))
    }

    private func refusal(_ members: [ZipFile.Member]) -> String? {
        let path = folder.write(ZipFile(members).bytes, to: "model.pt2")
        return reason { try PyTorchFormat().load(path: path) }
    }

    private func reason(_ load: () throws -> Graph) -> String? {
        do {
            _ = try load()
            return nil
        } catch {
            return "\(error)"
        }
    }
}
