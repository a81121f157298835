import Glibc
import Tensors

/// An operator that relates each element to all of its row: eˣ over the row's sum, or the logarithm of that.
///
/// Inputs: input, floating. Outputs: output, shaped as input. Attributes: `axis`: since 13 (−1) the axis along which a row
/// lies; before (1), the input is a matrix whose columns are the axes from `axis` on.
package protocol RowExponential: Operator {
    var axis: Int { get }
    /// Whether a row is all axes from `axis` on.
    var coercesToMatrix: Bool { get }
    init(axis: Int, coercesToMatrix: Bool)
    /// x is an element less its row's greatest; `sum` is the row's sum of e to those.
    static func value(_ x: Double, sum: Double) -> Double
}

extension RowExponential {
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        let isMatrix = attributes.opset < 13
        self.init(
            axis: try attributes.integer("axis", default: isMatrix ? 1 : -1), coercesToMatrix: isMatrix)
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        try requireFloating(input, "input")
        if let rank = input.rank { _ = try normalized(axis, rank: rank, pastEnd: coercesToMatrix) }
        return [try output(input.elementType, input.dimensions)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        var values = try reals(inputs, 0, "input")
        let axis = try normalized(axis, rank: shape.rank, pastEnd: coercesToMatrix)
        let inner = coercesToMatrix ? 1 : shape.dimensions[(axis + 1)...].reduce(1, *)
        let extent = coercesToMatrix ? shape.dimensions[axis...].reduce(1, *) : shape[axis]
        for row in 0..<(values.isEmpty ? 0 : values.count / extent) {
            let base = row / inner * inner * extent + row % inner
            var greatest = -Double.infinity
            for index in 0..<extent { greatest = max(greatest, values[base + index * inner]) }
            var sum = 0.0
            for index in 0..<extent { sum += exp(values[base + index * inner] - greatest) }
            for index in 0..<extent {
                values[base + index * inner] = Self.value(values[base + index * inner] - greatest, sum: sum)
            }
        }
        return [
            ExactTensor(reals: values, shape: shape, elementType: try tensor(inputs, 0, "input").elementType)
        ]
    }
}

/// See `RowExponential`. Source: ONNX Softmax-1, 11, 13.
package struct Softmax: RowExponential {
    package static let type = "Softmax"
    package let axis: Int
    package let coercesToMatrix: Bool
    package init(axis: Int, coercesToMatrix: Bool) {
        (self.axis, self.coercesToMatrix) = (axis, coercesToMatrix)
    }
    package static func value(_ x: Double, sum: Double) -> Double { exp(x) / sum }
}

/// See `RowExponential`. Source: ONNX LogSoftmax-1, 11, 13.
package struct LogSoftmax: RowExponential {
    package static let type = "LogSoftmax"
    package let axis: Int
    package let coercesToMatrix: Bool
    package init(axis: Int, coercesToMatrix: Bool) {
        (self.axis, self.coercesToMatrix) = (axis, coercesToMatrix)
    }
    package static func value(_ x: Double, sum: Double) -> Double { x - log(sum) }
}
