import Graph
import Tensors

/// A Conv of one group or a Gemm, as a matrix of output and input channels.
///
/// Shapes: W [rows, columns, k…], or [columns, rows] in a Gemm without transB; c [rows], or what broadcasts to a Gemm's.
struct DenseLayer {
    let node: Node
    private let weight: Tensor
    private let bias: Tensor?
    private let rowAxis: Int
    /// Whether it reads zeros around its input.
    let isPadded: Bool

    /// Throws for another node, and for weights that cannot be replaced.
    init(_ node: Node, in context: FoldContext) throws(FoldRefusal) {
        self.node = node
        guard node.operation is Conv || node.operation is Gemm else {
            throw FoldRefusal("only Conv and Gemm lose channels, not \(node.type)", blockedBy: node.name)
        }
        weight = try context.foldableConstant(node.input(1), role: "weight")
        bias = try node.input(2).map { name throws(FoldRefusal) in
            try context.foldableConstant(name, role: "bias")
        }
        for name in [node.input(1), node.input(2)] {
            if let name, context.isShared(name, besides: node) {
                throw FoldRefusal("the weights are shared", blockedBy: name)
            }
        }
        switch node.operation {
        case let conv as Conv:
            guard conv.group == 1, weight.shape.rank >= 3 else {
                throw FoldRefusal("the convolution has \(conv.group) groups", blockedBy: node.name)
            }
            rowAxis = 0
            isPadded = Self.isPadded(conv, weight.shape)
        case let gemm as Gemm:
            guard !gemm.transposesA, weight.shape.rank == 2 else {
                throw FoldRefusal("the product is of a transposed matrix", blockedBy: node.name)
            }
            rowAxis = gemm.transposesB ? 0 : 1
            isPadded = false
        default: throw FoldRefusal("it is no layer", blockedBy: node.name)
        }
    }

    private static func isPadded(_ conv: Conv, _ shape: Shape) -> Bool {
        switch conv.window.padding {
        case nil, .valid: return false
        case .explicit(let begins, let ends): return (begins + ends).contains { $0 != 0 }
        case .sameUpper, .sameLower:
            // One element and a stride of 1 need no pad.
            return !(0..<shape.rank - 2).allSatisfy { shape[$0 + 2] == 1 && conv.window.stride($0) == 1 }
        }
    }

    private var columnAxis: Int { 1 - rowAxis }
    var rowCount: Int { weight.shape[rowAxis] }
    var columnCount: Int { weight.shape[columnAxis] }

    func rowsAreFinite(_ rows: Set<Int>) -> Bool {
        weight.selecting(rows.sorted(), axis: rowAxis).reals.allSatisfy(\.isFinite)
            && bias?.reals.allSatisfy(\.isFinite) ?? true
    }

    func columnsAreFinite(_ columns: Set<Int>) -> Bool {
        weight.selecting(columns.sorted(), axis: columnAxis).reals.allSatisfy(\.isFinite)
    }

    func keepingRows(_ rows: [Int], _ edit: inout DropEdit) throws(FoldRefusal) -> Node {
        var result = node
        result.inputs[1] = edit.constant(
            node.name + "_weight", weight.selecting(rows, axis: rowAxis))
        if let bias, let axis = bias.shape.dimensions.indices.last, bias.shape[axis] == rowCount {
            result.inputs[2] = edit.constant(node.name + "_bias", bias.selecting(rows, axis: axis))
        }
        return result
    }

    /// `constants`: what the columns that go have read.
    func keepingColumns(
        _ columns: [Int], adding constants: [Double], _ edit: inout DropEdit
    ) throws(FoldRefusal) -> Node {
        var (inputs, attributes) = (node.inputs, node.attributes)
        inputs[1] = edit.constant(node.name + "_weight", weight.selecting(columns, axis: columnAxis))
        if constants.contains(where: { $0 != 0 }) {
            let isConv = node.operation is Conv
            let (alpha, beta) = ((node.operation as? Gemm)?.alpha ?? 1, (node.operation as? Gemm)?.beta ?? 1)
            let folded = try ChannelConstant(rank: isConv ? 1 : 2, axis: isConv ? 0 : 1).through(
                Affine(shift: sums(of: constants).map { Double(alpha) * $0 }, axis: isConv ? 0 : 1),
                constant: bias, factor: Double(beta), type: weight.elementType)
            inputs = Array(inputs.prefix(2)) + [edit.constant(node.name + "_bias", folded)]
            if !isConv { attributes["beta"] = .real(1) }
        }
        return try Node.made(
            name: node.name, domain: node.domain, type: node.type, attributes: attributes, opset: node.opset,
            inputs: inputs, outputs: node.outputs)
    }

    /// Σ over columns and taps of weight·constant, for each row.
    private func sums(of constants: [Double]) -> [Double] {
        let outerCount = rowAxis == 0 ? rowCount : 1
        let innerCount = weight.shape.count / max(1, outerCount * columnCount)
        let view = WeightScaling(outerCount: outerCount, channelCount: columnCount, innerCount: innerCount)
        let products = view.contracted(weight, with: constants)
        let taps = products.count / max(1, rowCount)
        return (0..<rowCount).map { row in products[row * taps..<(row + 1) * taps].reduce(0, +) }
    }
}
