import Graph
import Tensors
import Testing

import Folding

/// Producers, whatever a test puts behind them, and an affine, with the checks that every backward fold must pass.
struct BackwardNetwork {
    /// What the scales of the channels are.
    enum Scales: CaseIterable {
        case positive, negative, mixed, zero, tiny, uniform
    }

    /// Nothing goes forward: what stays is what a backward fold refused.
    static let pipeline = FoldPipeline(rules: FoldPipeline.standard.rules.filter { !$0.isForward })

    var builder: GraphBuilder

    init(elementType: ElementType = .float64, opset: Int = 17, seed: UInt64 = 5) {
        builder = GraphBuilder(seed: seed, elementType: elementType)
        builder.opset = opset
    }

    /// A pointwise convolution called `name` of an input of its own, which makes `name` of this shape [N, C, …].
    mutating func convolution(_ name: String, _ shape: [Int], bias: Bool = true) throws {
        builder.input("x_" + name, [shape[0], 2] + shape.dropFirst(2))
        try builder.weight("w_" + name, [shape[1], 2] + shape.dropFirst(2).map { _ in 1 })
        if bias { try builder.weight("c_" + name, [shape[1]]) }
        let inputs = ["x_" + name, "w_" + name] + (bias ? ["c_" + name] : [])
        try builder.node("Conv", inputs, name, name: name)
    }

    /// A Gemm called `name`, which makes `name` of shape [rows, columns].
    mutating func dense(_ name: String, rows: Int, columns: Int) throws {
        builder.input("x_" + name, [rows, 3])
        try builder.weight("w_" + name, [3, columns])
        try builder.node("Gemm", ["x_" + name, "w_" + name], name, name: name)
    }

    /// A node called `type` in lower case.
    mutating func node(
        _ type: String, _ inputs: [String?], _ output: String, _ attributes: [String: Attribute] = [:]
    ) throws {
        try builder.node(type, inputs, output, name: type.lowercased(), attributes)
    }

    mutating func integers(_ name: String, _ values: [Int]) -> String {
        builder.constants[name] = Tensor(values.map { Int64($0) })
        return name
    }

    /// The affine `bn` of `value`, on axis 1, to `y`, which is read by `after`.
    mutating func normalize(
        _ value: String, channels: Int, scales: Scales = .mixed, shifts: Bool = true, to output: String = "y"
    ) throws {
        var scale = builder.reals(channels, in: 0.5...2)
        for channel in 0..<channels {
            switch scales {
            case .positive: break
            case .negative: scale[channel] *= -1
            case .mixed: scale[channel] *= channel.isMultiple(of: 2) ? 1 : -1
            case .zero: scale[channel] *= channel == 0 ? 0 : 1
            case .tiny: scale[channel] *= channel == 0 ? 1e-6 : 1
            case .uniform: scale[channel] = -0.75
            }
        }
        let zero = [Double](repeating: 0, count: channels)
        var bias = shifts ? builder.reals(channels) : zero
        if scales == .uniform { bias = bias.map { _ in bias[0] } }
        try builder.batchNorm(
            value, output, scale: scale, bias: bias, mean: zero, variance: zero.map { _ in 1 },
            name: output == "y" ? "bn" : "bn_" + output, ["epsilon": .real(0)])
        try builder.node("Sigmoid", [output], output + "_after")
        builder.output(output + "_after")
    }

    /// Folds and compares. Everything is gone that was to be, by `rule`, and nothing else than `producers` was touched.
    @discardableResult
    func expectFolded(
        rule: String? = "batchnorm-into-conv", producer: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> FoldResult {
        let graph = try builder.graph()
        let result = try Self.pipeline.run(graph)
        let reasons = result.report.entries.compactMap(\.reason)
        #expect(reasons == [], sourceLocation: sourceLocation)
        #expect(
            result.graph.count(of: "BatchNormalization") + result.graph.count(of: "Affine") == 0,
            sourceLocation: sourceLocation)
        #expect(result.report.entries.first?.rule == rule, sourceLocation: sourceLocation)
        if let producer {
            #expect(result.report.entries.first?.producer == producer, sourceLocation: sourceLocation)
        }
        #expect(
            try Comparison(graph, result.graph).error < tolerance(builder.elementType),
            sourceLocation: sourceLocation)
        return result
    }

    /// The affine `bn` stays, and so does everything else.
    func expectRefused(
        _ reason: String, by node: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let graph = try builder.graph()
        let result = try Self.pipeline.run(graph)
        let entry = try #require(result.report.entry("bn"), sourceLocation: sourceLocation)
        #expect(entry.outcome == .refused, sourceLocation: sourceLocation)
        #expect(entry.reason == reason, sourceLocation: sourceLocation)
        #expect(entry.blockedBy == node, sourceLocation: sourceLocation)
        #expect(try Comparison(graph, result.graph).error < 1e-14, sourceLocation: sourceLocation)
    }
}
