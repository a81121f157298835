import Graph
import Tensors

/// Checks what this module says of linear operators against the operators' own evaluation, on cropped equivalents: the
/// same operator with the same attributes and kernel, but at most 3 groups of at most 4 channels, and extents that show
/// every border.
///
/// The coefficients of a piece are compared one by one, whatever their meaning is; here their meaning is tried out. An
/// affine goes before the operator and another one behind it, zeros and irregular numbers go in, and the rows, columns,
/// taps and shifts of the form must give what the evaluation gives: an axis, a group, a pad or a sign that this module
/// mistakes shows, for two affine functions that differ anywhere differ at irregular numbers.
struct StructuralOracle {
    static let maximumGroupCount = 3
    static let maximumChannelCount = 4
    /// The most elements that one try may read or write.
    static let maximumElementCount = 1 << 22
    /// The most products that one try may take: kernels with a long reach are not tried.
    static let maximumProductCount = 1 << 20
    /// The most of all tries together.
    static let maximumTotalProductCount = 1 << 24
    /// What a sum of some hundred products of small numbers may differ by in another order.
    static let tolerance = 1e-10

    /// The cropped equivalents that were tried: many operators of a network have the same.
    private var tried: Set<CroppedEquivalent.Key> = []
    private var productCount = 0
    var count: Int { tried.count }

    /// Tries an operator, unless one like it was. Throws an `Obstacle` where its evaluation gives something else.
    mutating func check(_ equivalent: CroppedEquivalent) throws(Obstacle) {
        guard productCount < Self.maximumTotalProductCount, !tried.contains(equivalent.key),
            let agrees = try? equivalent.agrees()
        else { return }
        productCount += equivalent.productCount
        guard agrees else {
            throw Obstacle("its evaluation is not what the proof takes it for", node: equivalent.node.name)
        }
        tried.insert(equivalent.key)
    }
}

/// One linear operator with few channels between two affines.
struct CroppedEquivalent: Sendable {
    /// What operators that crop to the same have in common.
    struct Key: Hashable {
        let type: String
        let attributes: [String: Setting]
        let weightShape, inputShape: [Int]
        let isWeightFirst: Bool
    }

    /// An attribute's value; linear operators have integers, floats and words.
    enum Setting: Hashable {
        case integers([Int64])
        case bits(UInt32)
        case text(String)

        init(_ attribute: Attribute) {
            switch attribute {
            case .integer(let value): self = .integers([value])
            case .integers(let values): self = .integers(values)
            case .real(let value): self = .bits(value.bitPattern)
            case .string(let value): self = .text(value)
            case .tensor, .reals, .strings, .graph: self = .text("\(attribute)")
            }
        }
    }

    /// Those of all linear operators of a form that can be tried.
    static func ofAll(_ form: Form) -> [CroppedEquivalent] {
        var found: [CroppedEquivalent] = []
        var pending = [form.core]
        while let core = pending.popLast() {
            switch core.kind {
            case .leaf, .zero: break
            case .sum(let forms): pending += forms.map(\.core)
            case .apply(let application): pending += application.forms.map(\.core)
            case .linear(let map):
                pending.append(map.input)
                if let equivalent = CroppedEquivalent(map) { found.append(equivalent) }
            }
        }
        return found
    }

    let key: Key
    fileprivate let node: Node
    private let weightShape: [Int]
    private let isWeightFirst: Bool
    /// One item of the input.
    private let inputShape: [Int]
    private let channelAxis: Int
    private let channelCount: Int
    private let outputAxis: Int

    /// Of the weight's and the input's elements: about what a try takes.
    var productCount: Int { weightShape.reduce(1, *) * inputShape.reduce(1, *) }
    /// Whether a shift of the input gets through: through a transposed convolution it does not everywhere.
    private let takesShift: Bool
    private let attributes: [String: Attribute]

    /// `nil` for extents that are not known, and for what would be too large.
    init?(_ map: LinearMap) {
        guard let input = map.input.extents else { return nil }
        node = map.node
        var (shape, extents) = (map.weight.tensor.shape.dimensions, input)
        var attributes = map.node.attributes
        extents[0] = 1
        isWeightFirst = map.geometry == .leftProduct
        outputAxis = map.outputAxis
        takesShift = !(map.node.operation is ConvTranspose)
        switch map.geometry {
        case .convolution(_, let strides, let dilations, let kernel, let group),
            .transposedConvolution(_, let strides, let dilations, let kernel, let group, _):
            let groups = min(group, StructuralOracle.maximumGroupCount)
            let isTransposed = !takesShift
            let (outer, inner) = (shape[0] / group, shape[1])
            shape[0] = groups * min(outer, StructuralOracle.maximumChannelCount)
            shape[1] = min(inner, StructuralOracle.maximumChannelCount)
            channelAxis = 1
            channelCount = isTransposed ? shape[0] : groups * shape[1]
            extents[1] = channelCount
            for axis in kernel.indices {
                let (reach, overflow) = (kernel[axis] - 1).multipliedReportingOverflow(by: dilations[axis])
                guard !overflow, reach < StructuralOracle.maximumElementCount,
                    strides[axis] < StructuralOracle.maximumElementCount
                else { return nil }
                extents[axis + 2] = min(extents[axis + 2], reach + 1 + 2 * strides[axis])
            }
            attributes["group"] = .integer(Int64(groups))
            // An output of so many elements belongs to an input of another size.
            attributes["output_shape"] = nil
        case .product(let contractedFromLast):
            channelAxis = extents.count - 1 - contractedFromLast
            let isTransposed = map.node.flag("transB")
            shape = shape.map { min($0, StructuralOracle.maximumChannelCount) }
            channelCount = shape[isTransposed ? 1 : 0]
            for axis in extents.indices { extents[axis] = min(extents[axis], 3) }
            extents[channelAxis] = channelCount
        case .leftProduct:
            channelAxis = extents.count - 2
            shape = shape.map { min($0, StructuralOracle.maximumChannelCount) }
            channelCount = shape[1]
            for axis in extents.indices { extents[axis] = min(extents[axis], 3) }
            extents[channelAxis] = channelCount
        }
        guard (try? Shape(extents))?.count ?? Int.max <= StructuralOracle.maximumElementCount,
            (try? Shape(shape))?.count ?? Int.max <= StructuralOracle.maximumElementCount
        else { return nil }
        weightShape = shape
        inputShape = extents
        self.attributes = attributes
        key = Key(
            type: node.type, attributes: attributes.mapValues(Setting.init), weightShape: shape,
            inputShape: extents, isWeightFirst: isWeightFirst)
    }

    /// Whether form and evaluation agree on zeros and on irregular numbers. Throws where the cropped operator has no output.
    func agrees() throws -> Bool {
        var numbers = SmallNumbers()
        let shift = numbers.next(channelCount).map { takesShift ? $0 : 0 }
        let before = Affine.attributes(scale: numbers.next(channelCount), shift: shift, axis: channelAxis)
        let weight = try Tensor(numbers.next(weightShape.reduce(1, *)), shape: Shape(weightShape))
        let operands = isWeightFirst ? ["w", "p"] : ["p", "w"]
        var nodes = [
            try Node(
                name: "before", domain: Affine.domain, type: Affine.type, attributes: before,
                opset: node.opset, inputs: ["x"], outputs: ["p"]),
            try Node(
                name: "linear", domain: node.domain, type: node.type, attributes: attributes,
                opset: node.opset, inputs: operands, outputs: ["l"]),
        ]
        let info = ValueInfo(.float64, inputShape.map(Dimension.known))
        let inner = try nodes[1].operation.inferOutputs(
            isWeightFirst ? [ValueInfo(constant: weight), info] : [info, ValueInfo(constant: weight)],
            outputCount: 1)
        guard let output = inner.first?.shape, let outputCount = try? Shape(output).count, outputCount > 0
        else { throw Obstacle("it has no output") }
        let elementCount = max(inputShape.reduce(1, *), outputCount)
        let (productCount, overflow) = elementCount.multipliedReportingOverflow(by: weight.shape.count)
        guard !overflow, productCount <= StructuralOracle.maximumProductCount else {
            throw Obstacle("it is too large to be tried")
        }
        nodes.append(
            try Node(
                name: "behind", domain: Affine.domain, type: Affine.type,
                attributes: Affine.attributes(
                    scale: numbers.next(output[outputAxis]), shift: numbers.next(output[outputAxis]),
                    axis: outputAxis), opset: node.opset, inputs: ["l"],
                outputs: ["y"]))
        let graph = try Graph(
            name: "cropped", opset: node.opset, inputs: [Graph.Port(name: "x", info: info)],
            outputs: [Graph.Port(name: "y", info: ValueInfo(.float64, nil))], constants: ["w": weight],
            nodes: nodes)
        let cut = try CutGraph(GraphIndex(graph), [:])
        let form = try cut.form(of: try cut.piece(of: "y", cutting: [:]))
        guard case .linear(let map) = form.core.kind, form.scale == nil else { return false }
        let claim = LinearClaim(map, shift: form.shift, input: inputShape, output: output)
        let count = inputShape.reduce(1, *)
        for values in [[Double](repeating: 0, count: count), numbers.next(count)] {
            let given = ExactTensor(reals: values, shape: try Shape(inputShape), elementType: .float64)
            let expected = try Evaluator(rounding: .exact).run(graph, inputs: ["x": given])["y"]?.reals ?? []
            let found = claim.outputs(of: values)
            guard expected.count == found.count,
                zip(expected, found).allSatisfy({
                    abs($0 - $1) <= StructuralOracle.tolerance * max(1, abs($0))
                })
            else { return false }
        }
        return true
    }
}
