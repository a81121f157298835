import Tensors

/// An operator that makes one number of each channel's elements.
///
/// Inputs: X [N, C, D1…]. Outputs: Y [N, C, 1…].
package protocol GlobalPool: Operator {
    func pooled(_ channel: ArraySlice<Double>) -> Double
}

extension GlobalPool {
    package var inputCount: ClosedRange<Int> { 1...1 }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        try requireFloating(x, "X")
        try requireRank(x, "X", 2...Int.max)
        guard let dimensions = x.dimensions else { return [ValueInfo(x.elementType, nil)] }
        return [
            try output(x.elementType, dimensions.enumerated().map { $0.offset < 2 ? $0.element : .known(1) })
        ]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let (x, values) = (try tensor(inputs, 0, "X"), try reals(inputs, 0, "X"))
        let inner = x.shape.count / max(1, target.count)
        let result = (0..<target.count).map { pooled(values[$0 * inner..<($0 + 1) * inner]) }
        return [ExactTensor(reals: result, shape: target, elementType: x.elementType)]
    }
}

/// Each channel's mean. Shapes: see `GlobalPool`. Source: ONNX GlobalAveragePool-1, 22.
package struct GlobalAveragePool: GlobalPool {
    package static let type = "GlobalAveragePool"
    package init(_ attributes: inout AttributeReader) {}
    package func pooled(_ channel: ArraySlice<Double>) -> Double {
        channel.reduce(0, +) / Double(channel.count)
    }
}

/// Each channel's greatest element; NaN wins. Shapes: see `GlobalPool`. Source: ONNX GlobalMaxPool-1, 22.
package struct GlobalMaxPool: GlobalPool {
    package static let type = "GlobalMaxPool"
    package init(_ attributes: inout AttributeReader) {}
    package func pooled(_ channel: ArraySlice<Double>) -> Double {
        channel.reduce(-.infinity) { $0.isNaN || $0 >= $1 ? $0 : $1 }
    }
}
