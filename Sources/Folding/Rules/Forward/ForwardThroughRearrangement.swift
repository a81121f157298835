import Graph
import Tensors

/// Operators that only move elements: Transpose, Reshape, Flatten, Squeeze, Unsqueeze, Slice, Split, Gather with constant
/// indices, DepthToSpace, SpaceToDepth, Tile and Expand.
///
/// The channel of each element behind the operator is found by sending a tensor of channel numbers through it; channels
/// with the same scale and shift have the same number. Flatten of [N, C, H, W] gives element j channel ⌊j/(H·W)⌋, of
/// [N, H, W, C] j mod C. Extents that are not known are sampled twice; the result must be a function of one axis whose
/// extent is known.
/// Refuses: a result that is not; parameters that are not constant; more elements than can be followed.
struct ForwardThroughRearrangement: ForwardPassage {
    /// The most elements that are sent through, for each output too.
    static let maximumElementCount = 1 << 22
    /// What extents that are not known are sampled with: the batch's, and others', which must be cut and blocked.
    static let samples: [Sample] = [Sample(batch: 2, other: 4), Sample(batch: 3, other: 12)]
    /// When nothing else fits, the one extent that is not known is 1.
    static let unit = Sample(batch: 1, other: 1)

    struct Sample {
        let batch: Int
        let other: Int
    }

    func matches(_ node: Node) -> Bool {
        switch node.operation {
        case is Transpose, is Reshape, is Flatten, is Squeeze, is Unsqueeze, is Slice, is Split, is Gather,
            is DepthToSpace, is SpaceToDepth, is Tile, is Expand:
            true
        default: false
        }
    }

    func pass(_ site: ForwardSite, _ plan: inout ForwardPlan) throws(FoldRefusal) -> ForwardPassing {
        let affine = try site.onlyFirst().affine
        let dimensions = try site.inputDimensions()
        let classes = ChannelClasses(affine)
        let openCount = dimensions.count { $0.value == nil }
        var results: [[ExactTensor]] = []
        let samples = Self.samples.prefix(openCount == 0 ? 1 : 2)
        for sample in samples {
            if let result = try sent(classes, affine.axis, dimensions, through: site, sample) {
                results.append(result)
            }
        }
        if results.isEmpty, openCount == 1,
            let result = try sent(classes, affine.axis, dimensions, through: site, Self.unit)
        {
            results.append(result)
        } else if results.count < samples.count {
            // One extent that fits may hide what others would show.
            results = []
        }
        guard let first = results.first, results.allSatisfy({ $0.count == first.count }) else {
            throw FoldRefusal("it cannot be followed: its parameters are not constant, or nothing is left")
        }
        var outputs: [Affine?] = []
        for position in first.indices {
            guard position < site.node.outputs.count, let name = site.node.outputs[position] else {
                outputs.append(nil)
                continue
            }
            let known = site.dimensions(of: name) ?? []
            let axes = results.map { classes.affine(behind: $0[position], known: known) }
            guard let affine = axes[0],
                axes.allSatisfy({
                    $0?.axis == affine.axis && $0?.scale == affine.scale && $0?.shift == affine.shift
                })
            else { throw FoldRefusal("the channels are no longer along one axis behind it") }
            outputs.append(affine)
        }
        return ForwardPassing(node: site.rewired, outputs: outputs)
    }

    /// The numbers behind the operator; `nil` when it cannot be evaluated on extents like these.
    private func sent(
        _ classes: ChannelClasses, _ axis: Int, _ dimensions: [Dimension], through site: ForwardSite,
        _ sample: Sample
    ) throws(FoldRefusal) -> [ExactTensor]? {
        var symbols: [String: Int] = [:]
        var extents: [Int] = []
        for (position, dimension) in dimensions.enumerated() {
            let extent = dimension.value ?? (position == 0 ? sample.batch : sample.other)
            if case .symbol(let name) = dimension {
                extents.append(symbols[name] ?? extent)
                symbols[name] = extents[position]
            } else {
                extents.append(extent)
            }
        }
        guard let shape = try? Shape(extents), shape.count <= Self.maximumElementCount, shape.count > 0,
            axis < extents.count, extents[axis] == classes.numbers.count
        else { throw FoldRefusal("it has too many elements to follow") }
        var arguments: [ExactTensor?] = [classes.tensor(shape, axis: axis)]
        for name in site.node.inputs.dropFirst() {
            guard let name else {
                arguments.append(nil)
                continue
            }
            guard let argument = argument(name, symbols, in: site.context) else { return nil }
            arguments.append(argument)
        }
        guard let results = try? Evaluator(rounding: .exact).evaluate(site.node, arguments),
            results.allSatisfy({ $0.shape.count > 0 })
        else { return nil }
        return results
    }

    /// A constant, or a shape that the graph computes.
    private func argument(_ name: String, _ symbols: [String: Int], in context: FoldContext) -> ExactTensor? {
        if let constant = context.graph.fixedConstant(name) { return ExactTensor(constant) }
        guard !context.graph.overridableInputs.contains(name), let info = context.values[name],
            let elements = info.elements, let type = info.elementType, type.isInteger,
            let rank = info.rank, rank <= 1,
            let shape = try? Shape(rank == 0 ? [] : [elements.count]), shape.count == elements.count
        else { return nil }
        var integers: [Int64] = []
        for element in elements {
            switch element {
            case .known(let value): integers.append(Int64(value))
            case .symbol(let name):
                guard let value = symbols[name] else { return nil }
                integers.append(Int64(value))
            case .unknown: return nil
            }
        }
        return ExactTensor(integers: integers, shape: shape, elementType: type)
    }
}

/// Channels that the affine treats alike, by number.
private struct ChannelClasses {
    private struct Key: Hashable {
        let scale: Double
        let shift: Double
    }

    /// Of each channel.
    let numbers: [Int]
    private var keys: [Key] = []

    init(_ affine: Affine) {
        var known: [Key: Int] = [:]
        var numbers: [Int] = []
        for (scale, shift) in zip(affine.scale, affine.shift) {
            let key = Key(scale: scale, shift: shift)
            if known[key] == nil {
                known[key] = keys.count
                keys.append(key)
            }
            numbers.append(known[key] ?? 0)
        }
        self.numbers = numbers
    }

    func tensor(_ shape: Shape, axis: Int) -> ExactTensor {
        let inner = shape.strides[axis]
        let values = (0..<shape.count).map { Double(numbers[$0 / inner % numbers.count]) }
        return ExactTensor(reals: values, shape: shape, elementType: .float64)
    }

    /// The affine of a tensor of these numbers that differ along one axis whose extent is known to be the tensor's.
    func affine(behind tensor: ExactTensor, known: [Dimension]) -> Affine? {
        guard let values = tensor.reals, known.count == tensor.shape.rank else { return nil }
        let strides = tensor.shape.strides
        let axes = known.indices.filter { known[$0].value == tensor.shape[$0] }
        // Nothing tells the axes apart where all channels are alike: the usual one then.
        let order = (axes.contains(1) ? [1] : []) + axes.filter { $0 != 1 }
        for axis in order {
            var table = [Double](repeating: -1, count: tensor.shape[axis])
            var isFunction = true
            for (index, value) in values.enumerated() {
                let position = index / strides[axis] % table.count
                if table[position] < 0 { table[position] = value }
                guard table[position] == value else {
                    isFunction = false
                    break
                }
            }
            guard isFunction else { continue }
            let own = table.map { keys[min(max(0, Int($0)), keys.count - 1)] }
            return Affine(scale: own.map(\.scale), shift: own.map(\.shift), axis: axis)
        }
        return nil
    }
}
