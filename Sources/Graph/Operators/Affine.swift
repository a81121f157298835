import Tensors

/// y = a⊙x + b for each channel: what inference-mode batch normalization is, and what every fold moves.
///
/// Inputs: x [..., C at `axis`, ...]. Outputs: y, shaped as x. Attributes: `scale` and `shift`, float64 [C] each, and
/// `axis`, not negative. Not an ONNX operator: a writer emits its source nodes, or Mul and Add.
package struct Affine: Operator {
    package static let type = "Affine"
    package static let domain = "foldserve"

    package let scale: [Double]
    package let shift: [Double]
    package let axis: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard let scale = try attributes.tensor("scale"), let shift = try attributes.tensor("shift"),
            let axis = try attributes.integer("axis"), axis >= 0
        else { throw .attribute(Self.type, name: "scale, shift, axis", reason: "are required") }
        do {
            self.scale = try scale.elements(as: Double.self)
            self.shift = try shift.elements(as: Double.self)
        } catch {
            throw .tensor(error)
        }
        self.axis = axis
        guard self.scale.count == self.shift.count else {
            throw .attribute(Self.type, name: "shift", reason: "has not as many elements as 'scale'")
        }
    }

    /// Traps when the counts disagree.
    package init(scale: [Double], shift: [Double], axis: Int) {
        precondition(scale.count == shift.count && axis >= 0, "a scale and a shift for each channel")
        self.scale = scale
        self.shift = shift
        self.axis = axis
    }

    /// The attributes that make this operator.
    package static func attributes(scale: [Double], shift: [Double], axis: Int) -> [String: Attribute] {
        ["scale": .tensor(Tensor(scale)), "shift": .tensor(Tensor(shift)), "axis": .integer(Int64(axis))]
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        try requireFloating(input, "input")
        if let dimensions = input.dimensions {
            guard axis < dimensions.count else {
                throw error("the input \(input) has no axis \(axis)")
            }
            if let channels = dimensions[axis].value, channels != scale.count {
                throw error("the input has \(channels) channels, scale has \(scale.count)")
            }
        }
        var dimensions = input.dimensions
        dimensions?[axis] = .known(scale.count)
        return [ValueInfo(input.elementType, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let input = try tensor(inputs, 0, "input")
        guard let values = input.reals, axis < input.shape.rank,
            input.shape[axis] == scale.count
        else { throw error("needs a floating input with \(scale.count) channels on axis \(axis)") }
        let inner = input.shape.strides[axis]
        let result = values.indices.map { index in
            let channel = index / inner % scale.count
            return scale[channel] * values[index] + shift[channel]
        }
        return [ExactTensor(reals: result, shape: input.shape, elementType: input.elementType)]
    }
}
