import Graph
import Tensors

/// Measures each fold: the piece before (the producer and what followed it, or what a consumer followed and that consumer)
/// and the folded node are evaluated exactly on the same random input, with real channels and real weights and as few
/// positions as show every border.
package struct FoldMeasurement {
    /// The positions along each spatial axis: the two borders and the inside.
    static let positionsPerAxis = 3
    /// The most products that one piece may take; above, one position is measured, and above that with one, none.
    static let maximumProductCount = 1 << 28
    /// The most elements of a value; a piece with a larger one is not measured.
    static let maximumElementCount = 1 << 23
    /// What an extent is that is not known, where the node that reads the input does not say what it can be.
    static let sampledExtent = 2

    /// The report of `result` with the measured error of every fold that can be measured.
    package static func measure(original: Graph, result: FoldResult) -> FoldReport {
        var report = result.report
        guard let prepared = try? FoldPipeline.prepare(original) else { return report }
        let before = GraphIndex(prepared)
        let values = (try? prepared.inferValues()) ?? [:]
        let after = GraphIndex(result.graph)
        for position in report.entries.indices {
            measure(&report.entries[position], before, after, values, seed: UInt64(position))
        }
        for position in report.chains.indices {
            let seed = UInt64(report.entries.count + position)
            measure(&report.chains[position], before, after, values, seed: seed)
        }
        return report
    }

    private static func measure(
        _ entry: inout FoldReport.Entry, _ before: GraphIndex, _ after: GraphIndex,
        _ values: [String: ValueInfo], seed: UInt64
    ) {
        guard let input = entry.input, let output = entry.output,
            let pieceBefore = piece(of: before, from: input, to: output),
            let pieceAfter = piece(of: after, from: input, to: output),
            let error = difference(pieceBefore, pieceAfter, declared: values[input], seed: seed)
        else { return }
        entry.measuredError = error.absolute
        entry.measuredRelativeError = error.relative
    }

    /// The nodes between two values as a graph of their own; `nil` when they read anything else that varies.
    private static func piece(of index: GraphIndex, from input: String, to output: String) -> Graph? {
        var pending = [output]
        var nodes: [Node.Identifier: Node] = [:]
        var constants: [String: Tensor] = [:]
        while let name = pending.popLast() {
            if name == input { continue }
            if let tensor = index.graph.fixedConstant(name) {
                constants[name] = tensor
            } else if let node = index.producer(of: name) {
                guard nodes.updateValue(node, forKey: node.identifier) == nil else { continue }
                pending += node.inputs.compactMap { $0 }
            } else {
                return nil
            }
        }
        // Between casts there are constants of other types: the weight's is the input's.
        let readers = nodes.values.filter { $0.inputs.contains(input) }
        let operand = readers.lazy.flatMap(\.inputs)
            .compactMap { $0.flatMap { constants[$0] } }.first(where: \.elementType.isFloatingPoint)
        let type = operand?.elementType
        return try? Graph(
            name: output, opset: index.graph.opset,
            inputs: [Graph.Port(name: input, info: ValueInfo(type, nil))],
            outputs: [Graph.Port(name: output, info: ValueInfo(type, nil))], constants: constants,
            nodes: nodes.values.sorted { $0.identifier.number < $1.identifier.number })
    }

    private static func difference(
        _ before: Graph, _ after: Graph, declared: ValueInfo?, seed: UInt64
    ) -> (absolute: Double, relative: Double)? {
        guard let input = before.inputs.first, let output = before.outputs.first?.name,
            let type = input.info.elementType ?? declared?.elementType, type.isFloatingPoint
        else { return nil }
        var shapes = firstWeighted(in: before).map { inputDimensions(of: $0, in: before) } ?? []
        shapes += sampledDimensions(declared, in: before)
        for dimensions in shapes {
            let info = ValueInfo(type, dimensions.map(Dimension.known))
            guard let shape = try? Shape(dimensions), isSmall(before, info), isSmall(after, info) else {
                continue
            }
            var generator = SplitMix64(state: seed)
            let values = (0..<shape.count).map { _ in Double.random(in: -1...1, using: &generator) }
            let given = [input.name: ExactTensor(reals: values, shape: shape, elementType: type)]
            let evaluator = Evaluator(rounding: .exact)
            guard let expected = try? evaluator.run(before, inputs: given)[output]?.reals,
                let actual = try? evaluator.run(after, inputs: given)[output]?.reals,
                expected.count == actual.count, !expected.isEmpty
            else { continue }
            let absolute = zip(expected, actual).reduce(0) { max($0, abs($1.0 - $1.1)) }
            let mean = expected.reduce(0, +) / Double(expected.count)
            let variance = expected.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(expected.count)
            return (absolute, absolute / max(1, variance.squareRoot()))
        }
        return nil
    }

    /// Whether a piece takes little memory for such an input: one element of the file can ask for gigabytes.
    private static func isSmall(_ piece: Graph, _ input: ValueInfo) -> Bool {
        var piece = piece
        piece.inputs[0].info = input
        guard let values = try? piece.inferValues() else { return false }
        return ([piece.inputs[0].name] + piece.nodes.flatMap { $0.outputs.compactMap { $0 } }).allSatisfy {
            guard let dimensions = values[$0]?.shape else { return true }
            return ((try? Shape(dimensions))?.count ?? .max) <= maximumElementCount
        }
    }

    /// The node with a weight that reads the input, as it is or behind operators that leave its shape: what a forward
    /// fold went into is behind the normalization.
    private static func firstWeighted(in graph: Graph) -> Node? {
        let index = GraphIndex(graph)
        var value = graph.inputs.first?.name
        while let name = value, let node = index.consumers(of: name).first {
            switch node.operation {
            case is BatchNormalization, is Affine, is Mul, is Add, is Sub, is Div:
                guard index.consumers(of: name).count == 1, node.inputs.filter({ $0 == name }).count == 1
                else { return nil }
                value = node.outputs.first ?? nil
            default: return node
            }
        }
        return nil
    }

    /// The input's own shape when the piece is small, one sampled extent for each that is not known.
    private static func sampledDimensions(_ declared: ValueInfo?, in graph: Graph) -> [[Int]] {
        guard let dimensions = declared?.dimensions,
            let shape = try? Shape(dimensions.map { $0.value ?? sampledExtent })
        else { return [] }
        let weights = graph.constants.values.reduce(1) { $0 + $1.shape.count }
        let (products, overflow) = shape.count.multipliedReportingOverflow(by: weights)
        return !overflow && products <= maximumProductCount ? [shape.dimensions] : []
    }

    /// The shapes to try for the input, the best first: a bias of one row for each item of a batch leaves no choice.
    private static func inputDimensions(of producer: Node, in graph: Graph) -> [[Int]] {
        let constantInput = producer.inputs.firstIndex { graph.fixedConstant($0) != nil }
        guard let constantInput, let weight = graph.fixedConstant(producer.inputs[constantInput])?.shape
        else { return [] }
        switch producer.type {
        case "Conv", "ConvTranspose":
            guard weight.rank >= 3, weight.count <= maximumProductCount else { return [] }
            let isConv = producer.type == "Conv"
            let channels = isConv ? weight[1] * producer.integerAttribute("group", default: 1) : weight[0]
            return [positionsPerAxis, 2, 1].compactMap { positions in
                let (products, overflow) = (1..<weight.rank - 1).reduce((weight.count, false)) { total, _ in
                    let next = total.0.multipliedReportingOverflow(by: positions)
                    return (next.partialValue, total.1 || next.overflow)
                }
                guard !overflow, products <= maximumProductCount else { return nil }
                let extents = (2..<weight.rank).map { axis in
                    isConv
                        ? extent(along: axis - 2, kernel: weight[axis], of: producer, positions: positions)
                        : positions
                }
                return [1, channels] + extents
            }
        case "Gemm":
            guard weight.rank == 2, weight.count <= maximumProductCount else { return [] }
            let depth = weight[producer.integerAttribute("transB", default: 0) == 1 ? 1 : 0]
            let isTransposed = producer.integerAttribute("transA", default: 0) == 1
            return rowCounts(in: graph).map { isTransposed ? [depth, $0] : [$0, depth] }
        case "MatMul":
            guard weight.rank == 2, weight.count <= maximumProductCount else { return [] }
            return constantInput == 1
                ? rowCounts(in: graph).map { [$0, weight[0]] }
                : rowCounts(in: graph).map { [1, weight[1], $0] }
        default: return []
        }
    }

    private static func rowCounts(in graph: Graph) -> [Int] {
        let extents = graph.constants.values.flatMap(\.shape.dimensions)
        return [2] + Set(extents).subtracting([2, 0]).sorted()
    }

    /// The input extent that gives a convolution so many positions along one spatial axis; at least one element.
    private static func extent(along axis: Int, kernel: Int, of node: Node, positions: Int) -> Int {
        let stride = node.integersAttribute("strides", at: axis, default: 1)
        let dilation = node.integersAttribute("dilations", at: axis, default: 1)
        let (reach, overflow) = (kernel - 1).multipliedReportingOverflow(by: dilation)
        guard !overflow, stride > 0, stride < maximumProductCount, reach < maximumProductCount else {
            return 1
        }
        switch node.stringAttribute("auto_pad") {
        case "SAME_UPPER", "SAME_LOWER": return (positions - 1) * stride + 1
        default:
            guard case .integers(let pads)? = node.attributes["pads"], pads.count % 2 == 0,
                axis < pads.count / 2
            else { return reach + 1 + (positions - 1) * stride }
            let (padding, isTooMuch) = pads[axis].addingReportingOverflow(pads[axis + pads.count / 2])
            guard !isTooMuch, let padding = Int(exactly: padding), abs(padding) < maximumProductCount
            else { return 1 }
            return max(1, reach + 1 + (positions - 1) * stride - padding)
        }
    }
}

/// Steele, Lea & Flood 2014: a small generator whose sequence its seed fixes.
package struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
