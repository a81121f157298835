import Glibc
import Tensors

/// An operator that relates each element to all of its row: Softmax, LogSoftmax, Hardmax.
///
/// Inputs: input, floating. Outputs: output, shaped as input. Attributes: `axis`: since 13 (−1) the axis along which a row
/// lies; before (1), the input is a matrix whose columns are the axes from `axis` on.
package protocol RowFunction: Operator {
    var axis: Int { get }
    /// Whether a row is all axes from `axis` on.
    var coercesToMatrix: Bool { get }
    init(axis: Int, coercesToMatrix: Bool)
    /// Replaces a row's elements, of which there is at least one.
    static func apply(to row: inout [Double])
}

extension RowFunction {
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
        let rows: AxisRows
        if coercesToMatrix {
            let extent = shape.dimensions[axis...].reduce(1, *)
            rows = AxisRows(try checkedShape([shape.dimensions[..<axis].reduce(1, *), extent]), axis: 1)
        } else {
            rows = AxisRows(shape, axis: axis)
        }
        var row = [Double](repeating: 0, count: rows.count > 0 ? rows.extent : 0)
        for number in 0..<rows.count {
            let base = rows.offset(number)
            for index in row.indices { row[index] = values[base + index * rows.step] }
            Self.apply(to: &row)
            for index in row.indices { values[base + index * rows.step] = row[index] }
        }
        return [
            ExactTensor(reals: values, shape: shape, elementType: try tensor(inputs, 0, "input").elementType)
        ]
    }
}

/// See `RowFunction`. Source: ONNX Softmax-1, 11, 13.
package struct Softmax: RowFunction {
    package static let type = "Softmax"
    package let axis: Int
    package let coercesToMatrix: Bool
    package init(axis: Int, coercesToMatrix: Bool) {
        (self.axis, self.coercesToMatrix) = (axis, coercesToMatrix)
    }
    package static func apply(to row: inout [Double]) {
        let greatest = row.reduce(-Double.infinity) { max($0, $1) }
        var sum = 0.0
        for index in row.indices { sum += exp(row[index] - greatest) }
        for index in row.indices { row[index] = exp(row[index] - greatest) / sum }
    }
}

/// See `RowFunction`. Source: ONNX LogSoftmax-1, 11, 13.
package struct LogSoftmax: RowFunction {
    package static let type = "LogSoftmax"
    package let axis: Int
    package let coercesToMatrix: Bool
    package init(axis: Int, coercesToMatrix: Bool) {
        (self.axis, self.coercesToMatrix) = (axis, coercesToMatrix)
    }
    package static func apply(to row: inout [Double]) {
        let greatest = row.reduce(-Double.infinity) { max($0, $1) }
        var sum = 0.0
        for index in row.indices { sum += exp(row[index] - greatest) }
        let logarithm = log(sum)
        for index in row.indices { row[index] = row[index] - greatest - logarithm }
    }
}

/// 1 at the row's first greatest element (the first NaN, when there is one), 0 elsewhere: see `RowFunction`.
/// Source: ONNX Hardmax-1, 11, 13.
package struct Hardmax: RowFunction {
    package static let type = "Hardmax"
    package let axis: Int
    package let coercesToMatrix: Bool
    package init(axis: Int, coercesToMatrix: Bool) {
        (self.axis, self.coercesToMatrix) = (axis, coercesToMatrix)
    }
    package static func apply(to row: inout [Double]) {
        var best = 0
        for index in row.indices {
            if ArgMax.isBetter(row[index], than: row[best]) || (row[index].isNaN && !row[best].isNaN) {
                best = index
            }
        }
        for index in row.indices { row[index] = index == best ? 1 : 0 }
    }
}
