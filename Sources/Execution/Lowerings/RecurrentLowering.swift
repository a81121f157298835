import CKernels
import Graph
import Kernels
import Tensors

/// LSTM and GRU with constant weights and the standard functions.
///
/// Left to the evaluation: sequence lengths, peepholes, clipping, other functions, coupled gates, a GRU that resets before
/// its product, and the batch as the first axis.
struct RecurrentLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard node.domain.isEmpty, let cell = RecurrentCell(node), let x = node.input(0), context.isFloat(x),
            let weights = context.graph.fixedConstant(node.input(1)), weights.elementType == .float32,
            let recurrent = context.graph.fixedConstant(node.input(2)), recurrent.elementType == .float32,
            weights.shape.count > 0, recurrent.shape.count > 0, node.input(4) == nil, node.input(7) == nil
        else { return nil }
        let sizes = RecurrentSizes(
            directions: recurrent.shape[0], hidden: recurrent.shape[2],
            gates: cell.gateCount * recurrent.shape[2], input: weights.shape[2])
        var biases = [Float](repeating: 0, count: sizes.directions * 2 * sizes.gates)
        if let name = node.input(3) {
            guard let floats = context.constantFloats(name), floats.count == biases.count else { return nil }
            biases = floats
        }
        var inputs = [x]
        var initial: [Int?] = []
        for index in [5, 6] {
            if let name = node.input(index) {
                guard context.isFloat(name) else { return nil }
                initial.append(inputs.count)
                inputs.append(name)
            } else {
                initial.append(nil)
            }
        }
        let width = sizes.gates
        var inputBias: [Float] = []
        var recurrentBias: [Float] = []
        for direction in 0..<sizes.directions {
            let own = biases[direction * 2 * width..<(direction + 1) * 2 * width]
            let (first, second) = (own.prefix(width), own.suffix(width))
            // An LSTM's gates are sums of everything; a GRU resets what the state gives, its bias included.
            inputBias += cell == .lstm ? zip(first, second).map(+) : Array(first)
            recurrentBias += second
        }
        return LoweredNode(
            operation: RecurrentOperation(
                cell: cell, sizes: sizes, directions: Self.directions(node, sizes.directions),
                weights: Self.pack(weights, sizes.gates, sizes.input, context),
                recurrentWeights: Self.pack(recurrent, sizes.gates, sizes.hidden, context),
                inputBias: FloatMemory(inputBias), recurrentBias: FloatMemory(recurrentBias),
                initialHidden: initial[0], initialCell: initial[1], kernels: context.kernels),
            inputs: inputs)
    }

    /// Whether each direction goes backward.
    private static func directions(_ node: Node, _ count: Int) -> [Bool] {
        if case .string("reverse")? = node.attributes["direction"] { return [true] }
        return (0..<count).map { $0 == 1 }
    }

    /// [directions, gates, depth], each direction as panels of gates.
    private static func pack(
        _ weights: Tensor, _ gates: Int, _ depth: Int, _ context: LoweringContext
    ) -> PackedMatrix {
        weights.withUnsafeBytes { bytes in
            PackedMatrix(
                bytes, lines: gates, depth: depth, width: context.kernels.tileColumns, lineStride: depth,
                depthStride: 1, matrixCount: weights.shape[0], matrixStride: gates * depth,
                packing: context.packing)
        }
    }
}

/// The cells that have kernels.
enum RecurrentCell: String, Sendable {
    case lstm = "LSTM"
    case gru = "GRU"

    /// `nil` for another operator, and for attributes that only its evaluation knows.
    init?(_ node: Node) {
        self.init(rawValue: node.type)
        func integer(_ name: String) -> Int64? {
            if case .integer(let value)? = node.attributes[name] { value } else { nil }
        }
        guard integer("layout") ?? 0 == 0, integer("input_forget") ?? 0 == 0, node.attributes["clip"] == nil,
            self == .lstm || integer("linear_before_reset") ?? 0 != 0
        else { return nil }
        guard case .strings(let names)? = node.attributes["activations"] else { return }
        let own = self == .lstm ? ["sigmoid", "tanh", "tanh"] : ["sigmoid", "tanh"]
        for (index, name) in names.enumerated() where name.lowercased() != own[index % own.count] {
            return nil
        }
    }

    var gateCount: Int { self == .lstm ? 4 : 3 }
}

struct RecurrentSizes: Sendable {
    let directions: Int
    /// The units of a state.
    let hidden: Int
    /// Those of all gates.
    let gates: Int
    let input: Int
}
