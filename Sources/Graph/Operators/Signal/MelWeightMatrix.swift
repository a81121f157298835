import Glibc
import Tensors

/// The matrix that makes a mel spectrogram of a one-sided spectrum: triangles of height 1, evenly spaced in mel.
///
/// Inputs, all scalars: num_mel_bins, dft_length and sample_rate (integers), lower_edge_hertz and upper_edge_hertz
/// (floating). Outputs: output [⌊dft_length/2⌋ + 1, num_mel_bins]. Attributes: `output_datatype` (float32).
/// Errors: edges whose bins lie outside the spectrum. Source: ONNX MelWeightMatrix-17; mel(f) = 2595·log₁₀(1 + f/700).
package struct MelWeightMatrix: Operator {
    package static let type = "MelWeightMatrix"

    package let elementType: ElementType

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        elementType = try attributes.numberType("output_datatype")
    }

    package var inputCount: ClosedRange<Int> { 5...5 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let count = try knownInteger(inputs, 0, "num_mel_bins")
        if let count, count < 0 { throw error("num_mel_bins is \(count)") }
        let length = try knownInteger(inputs, 1, "dft_length")
        if let length, length < 0 || length > Shape.maximumCount { throw error("dft_length is \(length)") }
        if let rate = try knownInteger(inputs, 2, "sample_rate"), rate < 1 {
            throw error("sample_rate is \(rate)")
        }
        _ = try knownReal(inputs, 3, "lower_edge_hertz")
        _ = try knownReal(inputs, 4, "upper_edge_hertz")
        let extents = [length.map { $0 / 2 + 1 }, count]
        return [try output(elementType, extents.map { extent in extent.map(Dimension.known) ?? .unknown })]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let points = try points(inputs, spectrum: shape[0], count: shape[1])
        var result = [Double](repeating: 0, count: shape.count)
        for column in 0..<shape[1] {
            let (left, center, right) = (points[column], points[column + 1], points[column + 2])
            result[center * shape[1] + column] = 1
            for row in stride(from: left, to: center, by: 1) {
                result[row * shape[1] + column] = Double(row - left) / Double(center - left)
            }
            for row in stride(from: center, to: right, by: 1) {
                result[row * shape[1] + column] = Double(right - row) / Double(right - center)
            }
        }
        let matrix = ExactTensor(reals: result, shape: shape, elementType: .float64)
        return [
            elementType.isFloatingPoint
                ? ExactTensor(reals: result, shape: shape, elementType: elementType)
                : matrix.truncated(to: elementType)
        ]
    }

    /// The spectrum's bin at each corner of the triangles.
    private func points(_ inputs: [ExactTensor?], spectrum: Int, count: Int) throws(GraphError) -> [Int] {
        let infos = inputs.map { $0.map(ValueInfo.init) }
        guard let length = try knownInteger(infos, 1, "dft_length"),
            let rate = try knownInteger(infos, 2, "sample_rate"),
            let lower = try knownReal(infos, 3, "lower_edge_hertz"),
            let upper = try knownReal(infos, 4, "upper_edge_hertz")
        else { throw error("an input is not known") }
        func mel(_ hertz: Double) -> Double { 2595 * log10(1 + hertz / 700) }
        let step = (mel(upper) - mel(lower)) / Double(count + 2)
        var points: [Int] = []
        for index in 0..<count + 2 {
            let hertz = 700 * (pow(10, (mel(lower) + Double(index) * step) / 2595) - 1)
            let bin = (Double(length + 1) * hertz / Double(rate)).rounded(.down)
            // The last corner is where a triangle ends, outside of it.
            guard bin >= 0, bin < Double(index == count + 1 ? spectrum + 1 : spectrum) else {
                throw error("\(hertz) Hz are in bin \(bin), the spectrum has \(spectrum)")
            }
            points.append(Int(bin))
        }
        return points
    }
}
