import Foundation
import ModelFormats
import TestSupport
import Testing

@Suite struct ONNXExternalDataTests {
    let folder = TemporaryFolder()

    /// A model of `w`, float32 [2], in an external file.
    private func model(_ entries: KeyValuePairs<String, String>) -> WireMessage {
        .model(
            initializer: .number(1, 2), .number(2, 1), .number(14, 1),
            WireMessage(
                bytes: entries.flatMap { WireMessage.message(13, .text(1, $0), .text(2, $1)).bytes }))
    }

    @Test func `reads elements from a file beside the model and below it`() throws {
        let bytes = [0xff] + WireMessage.memory(of: [Float(1), 2]) + [0xff]
        folder.write(bytes, to: "weights.bin")
        folder.makeFolder("data")
        folder.write(WireMessage.memory(of: [Float(3), 4]), to: "data/more.bin")
        let graph = try folder.load(
            model(["location": "weights.bin", "offset": "1", "length": "8", "checksum": "?"]))
        #expect(try graph.constants["w"]?.elements(as: Float.self) == [1, 2])
        let other = try folder.load(model(["location": "./data/more.bin"]))
        #expect(try other.constants["w"]?.elements(as: Float.self) == [3, 4])
    }

    @Test func `maps weights of more than two gigabytes and copies none`() throws {
        // A file without blocks: it takes no space and reads as zeros.
        let count = 3 << 28
        let weights = folder.path + "/weights.bin"
        _ = FileManager.default.createFile(atPath: weights, contents: nil)
        #expect(truncate(weights, count * 4) == 0)
        let message = WireMessage.model(
            initializer: .number(1, Int64(count)), .number(2, 1), .number(14, 1),
            .message(13, .text(1, "location"), .text(2, "weights.bin")))
        let tensor = try #require(try folder.load(message).constants["w"])
        #expect(tensor.byteCount == count * 4)
        let address = tensor.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8)
        let mapping = maps.split(separator: "\n").first { $0.hasSuffix(weights) }
        #expect(mapping?.hasPrefix(String(address, radix: 16) + "-") == true)
    }

    @Test func `finds the file beside a model that is named without a folder`() throws {
        folder.write(WireMessage.memory(of: [Float(1), 2]), to: "weights.bin")
        let path = folder.write(model(["location": "weights.bin"]).bytes, to: "model.onnx")
        let relative = try #require(relativePath(path))
        #expect(try ONNXFormat().load(path: relative).constants.count == 1)
    }

    private func relativePath(_ path: String) -> String? {
        let up = FileManager.default.currentDirectoryPath.split(separator: "/").map { _ in "../" }.joined()
        return up + path.dropFirst()
    }

    @Test(arguments: [
        (["location": "/dev/zero"], "external data '/dev/zero' is not a path inside the model's folder"),
        (["location": "../secret"], "external data '../secret' is not a path inside the model's folder"),
        (
            ["location": "a/../../secret"],
            "external data 'a/../../secret' is not a path inside the model's folder"
        ),
        (["location": ""], "external data '' is not a path inside the model's folder"),
        (["location": "w\u{0}"], "external data 'w\u{0}' is not a path inside the model's folder"),
        (["location": "absent"], "external data 'absent': No such file or directory"),
        (["location": "link"], "external data 'link' leads out of the model's folder"),
        (["location": "."], "external data '.' leads out of the model's folder"),
        (["offset": "0"], "its external data has no location"),
        (["location": "w", "offset": "-1"], "its external data has offset '-1', expected a byte count"),
        (["location": "w", "offset": "one"], "its external data has offset 'one', expected a byte count"),
        (
            ["location": "w", "offset": "9223372036854775808"],
            "its external data has offset '9223372036854775808', expected a byte count"
        ),
        (
            ["location": "w", "offset": "9223372036854775807"],
            "needs 8 bytes from byte 9223372036854775807 of 'w', which has 9"
        ),
        (["location": "w", "offset": "2"], "needs 8 bytes from byte 2 of 'w', which has 9"),
        (["location": "w", "length": "9"], "float32 tensor of shape [2] needs 8 bytes, got 9"),
    ]) func `refuses by name`(_ entries: [String: String], _ reason: String) throws {
        folder.write([UInt8](repeating: 0, count: 9), to: "w")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link", withDestinationPath: "/etc/hostname")
        let message = WireMessage.model(
            initializer: .number(1, 2), .number(2, 1), .number(14, 1),
            WireMessage(
                bytes: entries.flatMap { WireMessage.message(13, .text(1, $0.key), .text(2, $0.value)).bytes }
            ))
        #expect(folder.refusal(message) == "tensor 'w': " + reason)
    }

    @Test func `follows a symbolic link that stays in the folder`() throws {
        folder.write(WireMessage.memory(of: [Float(1), 2]), to: "weights.bin")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link", withDestinationPath: "weights.bin")
        #expect(try folder.load(model(["location": "link"])).constants.count == 1)
    }

    @Test func `refuses elements in both places`() {
        #expect(
            folder.refusal(
                .model(
                    initializer: .number(1, 1), .number(2, 1), .number(14, 1), .data(9, [0, 0, 0, 0]),
                    .message(13, .text(1, "location"), .text(2, "w"))))
                == "tensor 'w': has elements both in the model and in an external file")
    }
}
