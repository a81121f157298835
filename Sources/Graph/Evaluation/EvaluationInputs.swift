import Tensors

/// What one evaluation may allocate.
package enum EvaluationLimits {
    /// The most elements of one output: 2 GiB, at 8 bytes each.
    package static let maximumElementCount = 1 << 28
}

extension ValueInfo {
    /// What an evaluation knows of one of its inputs.
    init(_ tensor: ExactTensor) {
        if tensor.shape.rank <= 1, tensor.shape.count <= Self.maximumFollowedElements {
            self.init(constant: tensor.tensor)
        } else {
            self.init(tensor.elementType, tensor.shape.dimensions.map(Dimension.known))
        }
    }

    /// The elements of a small constant as Doubles: the scales of Resize.
    var knownReals: [Double]? {
        guard let constant, constant.shape.count <= Self.maximumFollowedElements else { return nil }
        return ExactTensor(constant).reals
    }
}

/// What every evaluation begins with.
extension Operator {
    /// The output shapes, from `inferOutputs`: what it refuses is refused here in the same words.
    ///
    /// Throws `GraphError.limit` for an output over `EvaluationLimits.maximumElementCount`.
    @_semantics("optimize.sil.specialize.generic.never")
    func outputShapes(_ inputs: [ExactTensor?], outputCount: Int = 1) throws(GraphError) -> [Shape] {
        let results = try inferOutputs(inputs.map { $0.map(ValueInfo.init) }, outputCount: outputCount)
        var shapes: [Shape] = []
        for result in results {
            guard let dimensions = result.shape else {
                throw error("the output's shape does not follow from the inputs")
            }
            shapes.append(try boundedShape(dimensions))
        }
        return shapes
    }

    /// The shape of something that an evaluation allocates.
    ///
    /// Throws `GraphError.limit` over `EvaluationLimits.maximumElementCount`.
    @_semantics("optimize.sil.specialize.generic.never")
    func boundedShape(_ dimensions: [Int]) throws(GraphError) -> Shape {
        let shape = try checkedShape(dimensions)
        guard shape.count <= EvaluationLimits.maximumElementCount else {
            throw .limit(
                "elements of one output of \(Self.type)", maximum: EvaluationLimits.maximumElementCount,
                actual: shape.count)
        }
        return shape
    }

    /// Refuses what `inferOutputs` refuses, in the same words: for outputs whose shapes the elements decide.
    @_semantics("optimize.sil.specialize.generic.never")
    func requireFit(_ inputs: [ExactTensor?], outputCount: Int = 1) throws(GraphError) {
        _ = try inferOutputs(inputs.map { $0.map(ValueInfo.init) }, outputCount: outputCount)
    }

    /// The one output's shape.
    @_semantics("optimize.sil.specialize.generic.never")
    func outputShape(_ inputs: [ExactTensor?]) throws(GraphError) -> Shape {
        guard let shape = try outputShapes(inputs).first else { throw error("has no output") }
        return shape
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func tensor(_ inputs: [ExactTensor?], _ index: Int, _ name: String) throws(GraphError) -> ExactTensor {
        guard index < inputs.count, let tensor = inputs[index] else {
            throw error("the input \(name) is absent")
        }
        return tensor
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func reals(_ inputs: [ExactTensor?], _ index: Int, _ name: String) throws(GraphError) -> [Double] {
        let tensor = try tensor(inputs, index, name)
        guard let values = tensor.reals else {
            throw error("\(name) has element type \(tensor.elementType), expected a floating type")
        }
        return values
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func optionalReals(
        _ inputs: [ExactTensor?], _ index: Int, _ name: String
    ) throws(GraphError) -> [Double]? {
        guard index < inputs.count, inputs[index] != nil else { return nil }
        return try reals(inputs, index, name)
    }

    /// The integer of an input with one element; `nil` when the input is absent.
    @_semantics("optimize.sil.specialize.generic.never")
    func optionalInteger(
        _ inputs: [ExactTensor?], _ index: Int, _ name: String
    ) throws(GraphError) -> Int64? {
        guard index < inputs.count, inputs[index] != nil else { return nil }
        return try integers(inputs, index, name).first
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func integers(_ inputs: [ExactTensor?], _ index: Int, _ name: String) throws(GraphError) -> [Int64] {
        let tensor = try tensor(inputs, index, name)
        guard let values = tensor.integers else {
            throw error("\(name) has element type \(tensor.elementType), expected integers")
        }
        return values
    }
}
