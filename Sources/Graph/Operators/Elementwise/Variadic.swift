import Tensors

/// An operator on the elements of any number of inputs, at least one.
///
/// Inputs: of one number type (floating for Sum and Mean), broadcast together. Outputs: one, of their shape.
package protocol Variadic: Operator {
    init()
    static var takesIntegers: Bool { get }
    static func combine(_ a: Double, _ b: Double) -> Double
    static func combine(_ a: Int64, _ b: Int64, order: IntegerOrder) -> Int64
    /// The output's element, of what all the inputs' combine to.
    static func finish(_ value: Double, inputCount: Int) -> Double
}

extension Variadic {
    package init(_ attributes: inout AttributeReader) throws(GraphError) { self.init() }

    package static var takesIntegers: Bool { false }
    package static func combine(_ a: Int64, _ b: Int64, order: IntegerOrder) -> Int64 { a }
    package static func finish(_ value: Double, inputCount: Int) -> Double { value }

    package var inputCount: ClosedRange<Int> { 1...Graph.maximumNodeInputCount }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        var first = try required(inputs, 0, "input 0")
        var shapes: [[Dimension]?] = []
        for index in inputs.indices {
            let input = try required(inputs, index, "input \(index)")
            first.elementType = try commonType(first, "input 0", input, "input \(index)")
            shapes.append(input.dimensions)
        }
        if Self.takesIntegers {
            try requireNumbers(first, "input 0")
        } else {
            try requireFloating(first, "input 0")
        }
        return [try output(first.elementType, broadcast(shapes))]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let first = try tensor(inputs, 0, "input 0").broadcast(to: shape)
        let order = IntegerOrder(first.elementType)
        switch first.elements {
        case .reals(var values):
            for index in inputs.indices.dropFirst() {
                let others = try reals(
                    [try tensor(inputs, index, "input \(index)").broadcast(to: shape)], 0, "input \(index)")
                for index in values.indices { values[index] = Self.combine(values[index], others[index]) }
            }
            let result = values.map { Self.finish($0, inputCount: inputs.count) }
            return [ExactTensor(reals: result, shape: shape, elementType: first.elementType)]
        case .integers(var values):
            for index in inputs.indices.dropFirst() {
                let others = try integers(
                    [try tensor(inputs, index, "input \(index)").broadcast(to: shape)], 0, "input \(index)")
                for index in values.indices {
                    values[index] = Self.combine(values[index], others[index], order: order)
                }
            }
            return [ExactTensor(integers: values, shape: shape, elementType: first.elementType)]
        }
    }
}

/// The greatest; NaN wins. Source: ONNX Max-6, 8, 12, 13 (integers since 12).
package struct Max: Variadic {
    package static let type = "Max"
    package static let takesIntegers = true
    package init() {}
    package static func combine(_ a: Double, _ b: Double) -> Double { a.isNaN || a > b ? a : b }
    package static func combine(_ a: Int64, _ b: Int64, order: IntegerOrder) -> Int64 {
        order.isLess(a, b) ? b : a
    }
}

/// The least; NaN wins. Source: ONNX Min-6, 8, 12, 13 (integers since 12).
package struct Min: Variadic {
    package static let type = "Min"
    package static let takesIntegers = true
    package init() {}
    package static func combine(_ a: Double, _ b: Double) -> Double { a.isNaN || a < b ? a : b }
    package static func combine(_ a: Int64, _ b: Int64, order: IntegerOrder) -> Int64 {
        order.isLess(b, a) ? b : a
    }
}

/// Source: ONNX Sum-6, 8, 13.
package struct Sum: Variadic {
    package static let type = "Sum"
    package init() {}
    package static func combine(_ a: Double, _ b: Double) -> Double { a + b }
}

/// Source: ONNX Mean-6, 8, 13.
package struct Mean: Variadic {
    package static let type = "Mean"
    package init() {}
    package static func combine(_ a: Double, _ b: Double) -> Double { a + b }
    package static func finish(_ value: Double, inputCount: Int) -> Double { value / Double(inputCount) }
}
