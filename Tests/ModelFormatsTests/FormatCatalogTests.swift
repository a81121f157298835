import ModelFormats
import TestSupport
import Testing

@Suite struct FormatCatalogTests {
    let folder = TemporaryFolder()
    let catalog = FormatCatalog.standard
    let model = WireMessage.model([.initializer("w", dims: [1], floats: [4]), .output("w")]).bytes

    @Test func `loads a file by its extension`() throws {
        #expect(try catalog.load(path: folder.write(model, to: "any.name.onnx")).constants.count == 1)
    }

    @Test func `takes the highest version of a model's folder`() throws {
        for version in ["9", "10", "2", "010", "0", "latest"] {
            folder.makeFolder(version)
            folder.write(model, to: version + "/model.onnx")
        }
        #expect(FormatCatalog.versions(in: folder.path) == ["2", "9", "10"])
        #expect(try catalog.locate(folder.path).path == folder.path + "/10/model.onnx")
        #expect(try catalog.locate(folder.path + "/2").path == folder.path + "/2/model.onnx")
        #expect(try catalog.load(path: folder.path).constants.count == 1)
    }

    @Test func `says what it looked for`() {
        func reason(_ path: String) -> String? {
            do {
                _ = try catalog.load(path: path)
                return nil
            } catch {
                return error.description
            }
        }
        #expect(reason(folder.path + "/absent") == folder.path + "/absent: No such file or directory")
        let names = catalog.formats.map(\.fileName)
        #expect(
            reason(folder.path)
                == folder.path + ": holds neither \(names.joined(separator: " nor ")) nor a version's folder")
        folder.makeFolder("saved")
        folder.write(model, to: "saved/saved_model.pb")
        #expect(reason(folder.path + "/saved")?.contains("model.save('model.keras')") == true)
        folder.makeFolder("3")
        #expect(reason(folder.path) == folder.path + "/3: does not hold \(names.joined(separator: " or "))")
        let other = folder.write(model, to: "model.pb")
        #expect(
            reason(other) == other + ": not a model that foldserve reads (\(names.joined(separator: ", ")))")
    }
}
