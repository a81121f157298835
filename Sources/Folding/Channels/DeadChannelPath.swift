import Graph
import Tensors

/// What stands between an affine and the next layer, and what becomes of the channels that are constant on the way:
///
///     Relu, LeakyRelu, Clip                                 f(b_d)
///     MaxPool, GlobalMaxPool, GlobalAveragePool             b_d
///     AveragePool                                           b_d, which must be 0 where pads may count
struct DeadChannelPath {
    /// The most operators on the way.
    static let maximumNodeCount = 16

    private(set) var nodes: [Node] = []
    /// The next layer.
    let end: Node
    /// What it defines, or the affine behind it, which it will take.
    let output: String
    /// The constants at the layer's input, by channel.
    private(set) var constants: [Int: Double] = [:]

    /// `value`: the affine's.
    init(from value: String, _ affine: Affine, in context: FoldContext) throws(FoldRefusal) {
        for channel in affine.scale.indices where affine.scale[channel] == 0 {
            constants[channel] = affine.shift[channel]
        }
        var (value, nodes) = (value, [Node]())
        while true {
            let consumer = try Self.onlyConsumer(of: value, in: context)
            guard let next = consumer.outputs.first ?? nil, consumer.input(0) == value,
                consumer.inputs.count(where: { $0 == value }) == 1
            else {
                throw FoldRefusal(
                    "it reads the value at an input that is no place for it", blockedBy: consumer.name)
            }
            if consumer.operation is Conv || consumer.operation is Gemm {
                end = consumer
                output = Self.absorbedOutput(behind: next, in: context)
                break
            }
            guard nodes.count < Self.maximumNodeCount else {
                throw FoldRefusal(
                    "more than \(Self.maximumNodeCount) operators lie between", blockedBy: consumer.name)
            }
            constants = try Self.followed(constants, through: consumer, in: context)
            nodes.append(consumer)
            value = next
        }
        self.nodes = nodes
    }

    /// Where the layer's padding is 0, only what is 0 too can go.
    mutating func keepOnlyZeros() { constants = constants.filter { $0.value == 0 } }

    private static func onlyConsumer(of value: String, in context: FoldContext) throws(FoldRefusal) -> Node {
        let consumers = context.index.consumers(of: value)
        guard !context.index.isGraphOutput(value), let consumer = consumers.first else {
            throw FoldRefusal("the value '\(value)' is a graph output", blockedBy: value)
        }
        guard consumers.count == 1 else {
            throw FoldRefusal("several nodes read the value '\(value)'", blockedBy: value)
        }
        return consumer
    }

    private static func absorbedOutput(behind value: String, in context: FoldContext) -> String {
        let consumers = context.index.consumers(of: value)
        guard let next = consumers.first, consumers.count == 1, next.operation is Affine,
            !context.index.isGraphOutput(value)
        else { return value }
        return (next.outputs.first ?? nil) ?? value
    }

    private static func followed(
        _ constants: [Int: Double], through node: Node, in context: FoldContext
    ) throws(FoldRefusal) -> [Int: Double] {
        switch node.operation {
        case is Relu: return constants.mapValues { max(0, $0) }
        case let leaky as LeakyRelu:
            return constants.mapValues { $0 < 0 ? Double(leaky.alpha) * $0 : $0 }
        case is Clip:
            let least = try bound(1, "min", of: node, in: context) ?? -.infinity
            let most = try bound(2, "max", of: node, in: context) ?? .infinity
            return constants.mapValues { min(max($0, least), most) }
        case is MaxPool:
            guard !context.needsOtherOutputs(of: node) else {
                throw FoldRefusal("its indices are asked for", blockedBy: node.name)
            }
            return constants
        case is GlobalMaxPool, is GlobalAveragePool: return constants
        case let pool as AveragePool:
            return pool.mayCountPads ? constants.filter { $0.value == 0 } : constants
        default:
            throw FoldRefusal("constant channels are not followed through \(node.type)", blockedBy: node.name)
        }
    }

    private static func bound(
        _ index: Int, _ attribute: String, of node: Node, in context: FoldContext
    ) throws(FoldRefusal) -> Double? {
        if node.opset < 11 {
            guard case .real(let stated)? = node.attributes[attribute] else { return nil }
            return Double(stated)
        }
        guard let name = node.input(index) else { return nil }
        let tensor = try context.foldableConstant(name, role: "bound")
        guard let value = tensor.reals.first, value.isFinite else {
            throw FoldRefusal("a bound is not finite", blockedBy: node.name)
        }
        return value
    }
}
