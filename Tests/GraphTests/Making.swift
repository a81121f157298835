import Graph
import Tensors

/// A node whose values have no names that matter.
func makeNode(
    _ type: String, opset: Int = 17, _ attributes: [String: Attribute] = [:], inputs: Int, outputs: Int = 1
) throws -> Node {
    try Node(
        name: "node", type: type, attributes: attributes, opset: opset,
        inputs: (0..<inputs).map { "x\($0)" }, outputs: (0..<outputs).map { "y\($0)" })
}

/// What is known of a float32 value.
func info(_ dimensions: Dimension...) -> ValueInfo { ValueInfo(.float32, dimensions) }

/// An int64 vector whose elements may be symbols.
func vector(_ elements: Dimension...) -> ValueInfo {
    ValueInfo(.int64, [.known(elements.count)], elements: elements)
}

func tensor(_ dimensions: [Int], _ elements: [Double], _ type: ElementType = .float32) throws -> ExactTensor {
    let shape = try Shape(dimensions)
    return type.isFloatingPoint
        ? ExactTensor(reals: elements, shape: shape, elementType: type)
        : ExactTensor(integers: elements.map { Int64($0) }, shape: shape, elementType: type)
}

extension Dimension: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    public init(integerLiteral value: Int) { self = .known(value) }
    public init(stringLiteral value: String) { self = value == "?" ? .unknown : .symbol(value) }
}
