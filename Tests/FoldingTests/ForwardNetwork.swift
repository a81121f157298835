import Certification
import Graph
import Tensors
import Testing

import Folding

/// x → affine → whatever a test puts behind it, with the checks that every forward fold must pass.
struct ForwardNetwork {
    /// What the scales of the channels are.
    enum Scales: CaseIterable {
        case positive, negative, mixed, zero, tiny
    }

    var builder: GraphBuilder
    let channels: Int

    /// `input` [N, C, …]; the affine is a BatchNormalization from `x` to `h` without epsilon.
    init(
        _ input: [Dimension], scales: Scales = .mixed, shifts: Bool = true,
        elementType: ElementType = .float64, opset: Int = 17, seed: UInt64 = 7
    ) throws {
        builder = GraphBuilder(seed: seed, elementType: elementType)
        builder.opset = opset
        builder.input("x", input)
        channels = input[1].value ?? 1
        var scale = builder.reals(channels, in: 0.5...2)
        for channel in 0..<channels {
            switch scales {
            case .positive: break
            case .negative: scale[channel] *= -1
            case .mixed: scale[channel] *= channel.isMultiple(of: 2) ? 1 : -1
            case .zero: scale[channel] *= channel == 0 ? 0 : 1
            case .tiny: scale[channel] *= channel == 0 ? 1e-6 : 1
            }
        }
        try builder.batchNorm(
            "x", "h", scale: scale,
            bias: shifts ? builder.reals(channels) : [Double](repeating: 0, count: channels),
            mean: [Double](repeating: 0, count: channels), variance: [Double](repeating: 1, count: channels),
            name: "bn", ["epsilon": .real(0)])
    }

    init(
        _ input: [Int], scales: Scales = .mixed, shifts: Bool = true, elementType: ElementType = .float64,
        opset: Int = 17
    ) throws {
        try self.init(
            input.map(Dimension.known), scales: scales, shifts: shifts, elementType: elementType, opset: opset
        )
    }

    mutating func node(
        _ type: String, _ inputs: [String?], _ output: String, _ attributes: [String: Attribute] = [:]
    ) throws {
        try builder.node(type, inputs, output, name: type.lowercased() + "_" + output, attributes)
    }

    /// A weight and, with a bias, a second one of `weight[0]` elements.
    mutating func convolution(
        _ input: String, _ output: String, weight: [Int], bias: Bool = true,
        _ attributes: [String: Attribute] = [:]
    ) throws {
        try builder.weight(output + ".w", weight)
        if bias { try builder.weight(output + ".c", [weight[0]]) }
        try node("Conv", [input, output + ".w"] + (bias ? [output + ".c"] : []), output, attributes)
    }

    mutating func integers(_ name: String, _ values: [Int64]) {
        builder.constants[name] = Tensor(values)
    }

    /// The normalization is gone, and everything that kept its name is what it was; the
    /// certificate says so too.
    @discardableResult
    func expectFolded(
        rule: String, consumer: String? = nil, outputs: [String] = ["y"], seeds: Int = 2,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> FoldResult {
        var builder = builder
        for name in outputs { builder.output(name) }
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        let entry = try #require(result.report.entry("bn"), sourceLocation: sourceLocation)
        #expect(entry.outcome == .folded, "\(entry.reason ?? "")", sourceLocation: sourceLocation)
        #expect(entry.rule == rule, sourceLocation: sourceLocation)
        if let consumer { #expect(entry.consumer == consumer, sourceLocation: sourceLocation) }
        #expect(
            result.graph.count(of: "Affine") + result.graph.count(of: "BatchNormalization") == 0,
            sourceLocation: sourceLocation)
        let certificate = try Certifier().certify(original: graph, folded: result.graph)
        #expect(
            certificate.isProven, Comment(rawValue: "\(certificate.failures)"),
            sourceLocation: sourceLocation)
        for seed in 0..<UInt64(seeds) {
            let comparison = try Comparison(graph, result.graph, seed: seed)
            #expect(comparison.error < tolerance(builder.elementType), sourceLocation: sourceLocation)
        }
        return result
    }

    /// The normalization stays, for a reason of the forward direction that holds `reason`, and nothing has changed.
    func expectStays(
        _ reason: String, outputs: [String] = ["y"], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var builder = builder
        for name in outputs { builder.output(name) }
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        let entry = try #require(result.report.entry("bn"), sourceLocation: sourceLocation)
        #expect(entry.outcome == .refused, sourceLocation: sourceLocation)
        let parts = (entry.reason ?? "").split(separator: "; forward: ")
        #expect(parts.count == 2, "\(entry.reason ?? "")", sourceLocation: sourceLocation)
        #expect(
            parts.last?.contains(reason) == true, "\(entry.reason ?? "")", sourceLocation: sourceLocation)
        #expect(result.graph.nodes.map(\.name) == graph.nodes.map(\.name), sourceLocation: sourceLocation)
        #expect(
            result.graph.nodes.filter { $0.name != "bn" }.map(\.inputs)
                == graph.nodes.filter { $0.name != "bn" }.map(\.inputs), sourceLocation: sourceLocation)
    }
}
