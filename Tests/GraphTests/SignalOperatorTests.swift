import Foundation
import Graph
import Tensors
import Testing

/// Transforms of lengths that the published vectors do not have, and what the operators on signals refuse.
@Suite struct SignalOperatorTests {
    static let errors: [OperatorErrorTests.Case] = [
        .init(
            type: "DFT", opset: 17, inputs: [info(1, 8, 3)],
            message: "DFT: the last axis has an extent of 3, expected 1 (real) or 2 (complex)"),
        .init(
            type: "DFT", opset: 17, attributes: ["axis": .integer(2)], inputs: [info(1, 8, 1)],
            message: "DFT: axis 2 holds the parts of complex numbers"),
        .init(
            type: "DFT", opset: 20, attributes: ["axis": .integer(1)], inputs: [info(1, 8, 1)],
            message: "DFT: attribute 'axis' is not known in opset 20"),
        .init(
            type: "DFT", opset: 20, attributes: ["onesided": .integer(1)], inputs: [info(1, 8, 2)],
            message: "DFT: the last axis has an extent of 2, one-sided and forward it is 1"),
        .init(
            type: "DFT", opset: 20, attributes: ["onesided": .integer(1), "inverse": .integer(1)],
            inputs: [info(1, 8, 1)],
            message: "DFT: the last axis has an extent of 1, one-sided and inverse it is 2"),
        .init(
            type: "DFT", opset: 20, inputs: [info(1, 8, 1), vector(0)],
            message: "DFT: the transform's length is 0"),
        .init(
            type: "DFT", opset: 20, inputs: [info(1, 8, 1), vector(16_777_217)],
            message: "the length of a DFT: 16777217 is over the limit of 16777216"),
        .init(
            type: "DFT", opset: 20, inputs: [info(1, 8, 1), vector(4, 4)],
            message: "DFT: dft_length int64[2] has 2 elements, expected 1"),
        .init(
            type: "STFT", inputs: [info(1, 8, 2), vector(2)],
            message: "STFT: the last axis has an extent of 2, expected 1 (real)"),
        .init(type: "STFT", inputs: [info(1, 8, 1), vector(0)], message: "STFT: frame_step is 0"),
        .init(
            type: "STFT", inputs: [info(1, 8, 1), vector(2), info(9)],
            message: "STFT: the signal has 8 elements, a frame has 9"),
        .init(
            type: "STFT", inputs: [info(1, 8, 1), vector(2), info(4), vector(5)],
            message: "STFT: window has 4 elements, frame_length is 5"),
        .init(type: "HannWindow", inputs: [vector(-1)], message: "HannWindow: the size is -1"),
        .init(
            type: "HannWindow", attributes: ["output_datatype": .integer(9)], inputs: [vector(4)],
            message: "HannWindow: attribute 'output_datatype' is 9, no number type that is known"),
        .init(
            type: "MelWeightMatrix", inputs: [vector(8), vector(16), vector(0), info(), info()],
            message: "MelWeightMatrix: sample_rate is 0"),
        .init(
            type: "LpNormalization", attributes: ["p": .integer(3)], inputs: [info(2)],
            message: "LpNormalization: attribute 'p' is 3, expected 1 to 2"),
        .init(
            type: "RMSNormalization", opset: 23, inputs: [info(2, 3), info(4)],
            message: "RMSNormalization: scale has an extent of 4, it is broadcast to 3"),
        .init(
            type: "MeanVarianceNormalization", inputs: [info(2, 3)],
            message: "MeanVarianceNormalization: an axis is 2, the input has rank 2"),
    ]

    @Test(arguments: errors) func `says`(_ item: OperatorErrorTests.Case) {
        let error = #expect(throws: GraphError.self) {
            let node = try makeNode(item.type, opset: item.opset, item.attributes, inputs: item.inputs.count)
            _ = try node.operation.inferOutputs(item.inputs, outputCount: 1)
        }
        #expect(error?.description == item.message)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 7, 12, 16, 31, 64, 100], [false, true])
    func `a transform of any length is its definition`(length: Int, isInverse: Bool) throws {
        let signal = (0..<2 * length).map { sin(Double($0 * $0) * 0.7) }
        let operation = try makeNode(
            "DFT", opset: 20, ["inverse": .integer(isInverse ? 1 : 0)], inputs: 1
        ).operation
        let result = try #require(
            try operation.evaluate([tensor([1, length, 2], signal, .float64)], outputCount: 1)[0].reals)
        for k in 0..<length {
            var (real, imaginary) = (0.0, 0.0)
            for n in 0..<length {
                let angle = (isInverse ? 2 : -2) * .pi * Double(k * n % length) / Double(length)
                real += signal[2 * n] * cos(angle) - signal[2 * n + 1] * sin(angle)
                imaginary += signal[2 * n] * sin(angle) + signal[2 * n + 1] * cos(angle)
            }
            let divisor = isInverse ? Double(length) : 1
            #expect(abs(result[2 * k] - real / divisor) < 1e-12 * Double(length))
            #expect(abs(result[2 * k + 1] - imaginary / divisor) < 1e-12 * Double(length))
        }
    }

    @Test(arguments: [2, 3, 8, 9]) func `a one-sided spectrum goes back to its signal`(length: Int) throws {
        let signal = (0..<length).map { cos(Double($0 * $0)) }
        let forward = try makeNode("DFT", opset: 20, ["onesided": .integer(1)], inputs: 1).operation
        let backward = try makeNode(
            "DFT", opset: 20, ["onesided": .integer(1), "inverse": .integer(1)], inputs: 2
        ).operation
        let spectrum = try forward.evaluate([tensor([1, length, 1], signal, .float64)], outputCount: 1)[0]
        #expect(spectrum.shape.dimensions == [1, length / 2 + 1, 2])
        let count = try tensor([], [Double(length)], .int64)
        let result = try backward.evaluate([spectrum, count], outputCount: 1)[0]
        #expect(result.shape.dimensions == [1, length, 1])
        for (one, other) in zip(try #require(result.reals), signal) { #expect(abs(one - other) < 1e-12) }
    }

    @Test func `a mel matrix wants its edges inside the spectrum`() throws {
        let operation = try makeNode("MelWeightMatrix", inputs: 5).operation
        func evaluate(_ lower: Double, _ upper: Double) throws -> [ExactTensor] {
            try operation.evaluate(
                [
                    tensor([], [8], .int64), tensor([], [16], .int64), tensor([], [8192], .int64),
                    tensor([], [lower]), tensor([], [upper]),
                ], outputCount: 1)
        }
        #expect(try evaluate(0, 4096)[0].shape.dimensions == [9, 8])
        for (lower, upper) in [(0, 40_000.0), (-100, 4096), (.nan, 4096), (0, .infinity)] {
            #expect(throws: GraphError.self) { try evaluate(lower, upper) }
        }
    }
}
