import Graph
import Tensors

/// Makes an affine of a Mul, Add, Sub or Div with a constant that is the same for all elements of a channel.
///
///     x·k, k·x: a = k      x/k: a = 1/k      x+k, k+x: b = k      x−k: b = −k      k−x: a = −1, b = k
///
/// Exporters write a batch normalization so, one operator after the other, and input normalisations, biases and layer
/// scales too. `ComposeAffines` makes one affine of those that follow each other; what no other rule takes is what it
/// was again in the end (`SourceRestoration`).
///
/// Shapes: k broadcasts to x and differs along one axis of x at most, whichever it is: (), [C,1,1], [1,C,1,1] and
/// [C,1,1] are channels on axis 1 of rank 4, [C] is on the last axis, whatever the extents are.
/// Does not match: k/x; a constant that a caller may override or that changes the shape of x; elements that are not
/// finite; a sum directly behind a product with a constant, which is that product's bias.
/// Source: ONNX Add-14, Sub-14, Mul-14, Div-14.
package struct RecogniseChannelArithmetic: FoldRule {
    /// The most channels that a constant without any is spread over.
    static let maximumChannelCount = 1 << 20

    package let name = "recognise-channel-arithmetic"

    package init() {}

    package func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard let operands = operands(of: node, in: context), let output = node.outputs.first ?? nil,
            let dimensions = context.values[operands.value]?.dimensions,
            let (axis, count) = Self.channels(of: operands.constant.shape, in: dimensions),
            let affine = Self.affine(node.operation, operands)
        else { return nil }
        // A scale or shift of 1 or 0 stands beside the constant's elements: both have `count` in the end.
        let scale = affine.scale.count == count ? affine.scale : spread(affine.scale[0], count)
        let shift = affine.shift.count == count ? affine.shift : spread(affine.shift[0], count)
        let replacement = try Node.made(
            name: node.name, domain: Affine.domain, type: Affine.type,
            attributes: Affine.attributes(scale: scale, shift: shift, axis: axis), opset: context.graph.opset,
            inputs: [operands.value], outputs: [output], sources: [node])
        return FoldProposal(
            edit: GraphEdit(replacements: [node.identifier: replacement]),
            effect: .recognisedArithmetic(
                ChannelArithmetic(
                    name: node.name, operation: node.type,
                    scalesChannels: affine.scale.contains { $0 != affine.scale[0] })))
    }

    private struct Operands {
        let value: String
        let constant: Tensor
        let isConstantFirst: Bool
    }

    private func operands(of node: Node, in context: FoldContext) -> Operands? {
        guard
            node.operation is Add || node.operation is Sub || node.operation is Mul || node.operation is Div,
            let first = node.input(0), let second = node.input(1)
        else { return nil }
        let isConstantFirst = context.graph.fixedConstant(second) == nil
        let (value, name) = isConstantFirst ? (second, first) : (first, second)
        guard let constant = context.graph.fixedConstant(name), constant.elementType.isFloatingPoint,
            context.graph.constants[value] == nil
        else { return nil }
        if node.operation is Add, let product = context.index.producer(of: value),
            product.operation is MatMul,
            product.inputs.contains(where: { context.graph.fixedConstant($0) != nil })
        {
            return nil
        }
        return Operands(value: value, constant: constant, isConstantFirst: isConstantFirst)
    }

    /// The axis that a constant of this shape differs along and how many elements it has there; for one without any,
    /// an axis whose extent is known, the usual one of channels if that can be.
    private static func channels(of shape: Shape, in dimensions: [Dimension]) -> (axis: Int, count: Int)? {
        let offset = dimensions.count - shape.rank
        guard offset >= 0 else { return nil }
        var found: (axis: Int, count: Int)?
        for (position, extent) in shape.dimensions.enumerated() where extent != 1 {
            guard found == nil, extent > 0, dimensions[offset + position] == .known(extent) else {
                return nil
            }
            found = (offset + position, extent)
        }
        if let found { return found }
        for axis in [1, dimensions.count - 1] where dimensions.indices.contains(axis) {
            if let count = dimensions[axis].value, (1...maximumChannelCount).contains(count) {
                return (axis, count)
            }
        }
        return nil
    }

    /// One element where all channels have the same.
    private static func affine(
        _ operation: any Operator, _ operands: Operands
    ) -> (scale: [Double], shift: [Double])? {
        let values = operands.constant.reals
        let result: (scale: [Double], shift: [Double])
        switch operation {
        case is Mul: result = (values, [0])
        case is Add: result = ([1], values)
        case is Sub: result = operands.isConstantFirst ? ([-1], values) : ([1], values.map { -$0 })
        case is Div where !operands.isConstantFirst: result = (values.map { 1 / $0 }, [0])
        default: return nil
        }
        guard values.allSatisfy(\.isFinite), result.scale.allSatisfy(\.isFinite) else { return nil }
        return result
    }

    private func spread(_ value: Double, _ count: Int) -> [Double] {
        [Double](repeating: value, count: count)
    }
}
