import ModelServing
import Tensors
import TestSupport
import Testing

@Suite struct GoldenCheckTests {
    private let folder = TemporaryFolder()

    private func reason(scale: String = "2") throws -> String? {
        folder.write(scale, to: "m/1/model.onnx")
        return try TestModels.loaded(folder).model(named: "m").state(of: "1")?.reason
    }

    private func write(_ output: [Double], to name: String = "y") throws {
        folder.write(try TestModels.tensor([1, 2], [1, 2]), to: "m/1/golden/x.npy")
        folder.write(try Tensor(output, shape: Shape([1, 2])), to: "m/1/golden/\(name).npy")
    }

    @Test func `passes when outputs match, the expected ones in float64`() throws {
        try write([3, 5])
        #expect(try reason() == nil)
    }

    @Test(arguments: [(0.000_09, true), (0.000_2, false)])
    func `compares within the tolerance`(_ off: Double, _ passes: Bool) throws {
        try write([3, 5 + off])
        #expect(try (reason() == nil) == passes)
    }

    @Test func `a mismatch names output, element and both values`() throws {
        try write([3, 6])
        let reason = try #require(try reason())
        #expect(
            reason.hasPrefix("golden check failed: output 'y' element 1 is 5.0, expected 6.0 within 0.00015"))
    }

    @Test func `the description widens the tolerance`() throws {
        folder.write("{\"tolerance\": 1}", to: "m/model.json")
        try write([3, 6])
        #expect(try reason() == nil)
    }

    @Test func `a NaN on one side is a mismatch`() throws {
        try write([3, .nan])
        #expect(try reason()?.hasPrefix("golden check failed") == true)
    }

    @Test func `refuses files that name nothing of the model`() throws {
        try write([3, 5])
        try write([3, 5], to: "z")
        #expect(try reason() == "golden file 'z.npy': the model has no input or output 'z'")
    }

    @Test func `refuses missing inputs and missing outputs`() throws {
        folder.write(try TestModels.tensor([1, 2], [1, 2]), to: "m/1/golden/x.npy")
        #expect(try reason() == "golden file '*.npy': no output's is there")
        let other = TemporaryFolder()
        other.write("2", to: "m/1/model.onnx")
        other.write(try TestModels.tensor([1, 2], [1, 2]), to: "m/1/golden/y.npy")
        #expect(
            try TestModels.loaded(other).model(named: "m").state(of: "1")?.reason
                == "golden file 'x.npy': is missing")
    }

    @Test func `refuses an expected output of another shape`() throws {
        folder.write(try TestModels.tensor([1, 2], [1, 2]), to: "m/1/golden/x.npy")
        folder.write(try TestModels.tensor([3, 5], [2]), to: "m/1/golden/y.npy")
        #expect(try reason() == "golden file 'y.npy': has shape [2], the model gives [1,2]")
    }

    @Test func `file names are percent-decoded`() throws {
        folder.write(try TestModels.tensor([1, 2], [1, 2]), to: "m/1/golden/%78.npy")
        folder.write(try TestModels.tensor([3, 5], [1, 2]), to: "m/1/golden/y.npy")
        #expect(try reason() == nil)
        let other = TemporaryFolder()
        other.write("2", to: "m/1/model.onnx")
        other.write(try TestModels.tensor([1, 2], [1, 2]), to: "m/1/golden/%7.npy")
        #expect(
            try TestModels.loaded(other).model(named: "m").state(of: "1")?.reason
                == "golden file '%7.npy': its name has a bad percent escape")
    }
}
