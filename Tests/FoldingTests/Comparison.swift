import Graph
import Tensors

import Folding

/// Evaluates a graph and what became of it exactly, on the same random input.
struct Comparison {
    /// The largest |difference| of any value that both graphs define, over its largest magnitude or over 1.
    let error: Double
    /// How many values both define.
    let valueCount: Int

    /// Symbols and unknown extents of the inputs become `extent`.
    init(_ before: Graph, _ after: Graph, seed: UInt64 = 99, extent: Int = 2) throws {
        var random = SplitMix64(state: seed)
        var given: [String: ExactTensor] = [:]
        for port in before.inputs {
            let dimensions = (port.info.dimensions ?? []).map { $0.value ?? extent }
            let shape = try Shape(dimensions)
            let values = (0..<shape.count).map { _ in Double.random(in: -1...1, using: &random) }
            given[port.name] = ExactTensor(
                reals: values, shape: shape, elementType: port.info.elementType ?? .float32)
        }
        let defined = Set(before.nodes.flatMap(\.outputs).compactMap { $0 })
        let common = defined.intersection(after.nodes.flatMap(\.outputs).compactMap { $0 })
        let wanted = common.union(before.outputs.map(\.name)).sorted()
        let evaluator = Evaluator(rounding: .exact)
        let expected = try evaluator.run(before, inputs: given, wanted: wanted)
        let actual = try evaluator.run(after, inputs: given, wanted: wanted)
        var error = 0.0
        for name in wanted {
            guard let left = expected[name], let right = actual[name], left.shape == right.shape else {
                error = .infinity
                continue
            }
            guard let left = left.reals, let right = right.reals else { continue }
            let magnitude = left.reduce(1) { max($0, abs($1)) }
            for (one, other) in zip(left, right) {
                let difference = abs(one - other) / magnitude
                error = difference.isFinite ? max(error, difference) : .infinity
            }
        }
        self.error = error
        valueCount = wanted.count
    }
}

/// What a fold may err by, relative to the largest value: the rounding of its weights, which normalizations of little
/// variance magnify.
func tolerance(_ type: ElementType) -> Double {
    switch type {
    case .float64: 1e-12
    case .float32: 5e-6
    default: 2e-2
    }
}
