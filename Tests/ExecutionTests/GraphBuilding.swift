import Execution
import Graph
import Tensors

/// Pseudorandom floats of about unit variance, the same in every run (SplitMix64).
struct Noise {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> Float {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        z ^= z >> 31
        return (Float(z >> 40) / Float(1 << 24) - 0.5) * 3.4
    }

    mutating func tensor(_ dimensions: [Int], scale: Float = 1) -> Tensor {
        let shape = try! Shape(dimensions)
        return try! Tensor((0..<shape.count).map { _ in next() * scale }, shape: shape)
    }
}

/// A graph under construction: nodes in order, inputs of 32-bit floats.
struct GraphSketch {
    var inputs: [Graph.Port] = []
    var constants: [String: Tensor] = [:]
    var nodes: [Node] = []
    var opset: Int

    init(opset: Int = 17) { self.opset = opset }

    mutating func input(_ name: String, _ dimensions: [Dimension], _ type: ElementType = .float32) {
        inputs.append(Graph.Port(name: name, info: ValueInfo(type, dimensions)))
    }

    mutating func add(
        _ type: String, _ inputs: [String?], _ outputs: [String], _ attributes: [String: Attribute] = [:]
    ) throws {
        nodes.append(
            try Node(
                name: "\(type)_\(nodes.count)", type: type, attributes: attributes, opset: opset,
                inputs: inputs,
                outputs: outputs))
    }

    func graph(_ outputs: [String]) throws -> Graph {
        try Graph(
            name: "test", opset: opset, inputs: inputs,
            outputs: outputs.map { Graph.Port(name: $0, info: ValueInfo(nil, nil)) }, constants: constants,
            nodes: nodes)
    }
}

/// How far a run is from the reference, relative to max(1, standard deviation) of each output.
func worstError(_ actual: [String: Tensor], _ expected: [String: ExactTensor]) throws -> Double {
    var worst = 0.0
    for (name, reference) in expected {
        guard let tensor = actual[name], tensor.shape == reference.shape else { return .infinity }
        let values = ExactTensor(tensor)
        guard let ours = values.reals, let theirs = reference.reals else {
            if values.integers != reference.integers { return .infinity }
            continue
        }
        let mean = theirs.reduce(0, +) / Double(max(1, theirs.count))
        let variance = theirs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, theirs.count))
        for (x, y) in zip(ours, theirs) {
            if x == y || (x.isNaN && y.isNaN) { continue }
            let error = abs(x - y) / max(1, variance.squareRoot())
            worst = error.isNaN ? .infinity : max(worst, error)
        }
    }
    return worst
}

func exactly(_ graph: Graph, _ inputs: [String: Tensor]) throws -> [String: ExactTensor] {
    try Evaluator(rounding: .exact).run(graph, inputs: inputs.mapValues(ExactTensor.init))
}

extension Executable {
    /// The steps that compute: without those that only copy a value into another layout.
    var computedSteps: [StepDescription] {
        stepDescriptions.filter { !$0.kernel.hasPrefix("reorder") }
    }
}
