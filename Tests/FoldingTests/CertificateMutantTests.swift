import Certification
import Graph
import Tensors
import Testing

import Folding

/// Folded graphs made wrong on purpose, mechanically: the certificate must reject each that computes something else.
@Suite struct CertificateMutantTests {
    /// One change of a folded graph.
    struct Mutant {
        let kind: String
        let graph: Graph
    }

    /// Every change of every node and constant that a fold has touched.
    static func mutants(of folded: Graph, besides original: Graph) throws -> [Mutant] {
        var mutants: [Mutant] = []
        func add(_ kind: String, _ name: String, _ change: (inout [Double]) -> Void) {
            guard let tensor = folded.constants[name], tensor.elementType.isFloatingPoint else { return }
            var values = tensor.reals
            change(&values)
            var graph = folded
            graph.constants[name] =
                ExactTensor(reals: values, shape: tensor.shape, elementType: tensor.elementType).tensor
            mutants.append(Mutant(kind: kind, graph: graph))
        }
        for (name, tensor) in folded.constants where original.constants[name] == nil {
            let roundoff: Double =
                switch tensor.elementType {
                case .float64: 0x1p-52
                case .float32: 0x1p-23
                case .float16: 0x1p-10
                default: 0x1p-7
                }
            add("one number by 16 ulp", name) { values in
                guard let index = values.indices.max(by: { abs(values[$0]) < abs(values[$1]) }) else {
                    return
                }
                values[index] *= 1 + 16 * roundoff
            }
            add("sign", name) { $0 = $0.map { -$0 } }
            add("dropped", name) { $0 = $0.map { _ in 0 } }
            add("doubled", name) { $0 = $0.map { 2 * $0 } }
            if tensor.shape.rank >= 2, tensor.shape[0] == tensor.shape[1] {
                add("axis", name) { values in
                    let (count, inner) = (
                        tensor.shape[0], tensor.shape.count / (tensor.shape[0] * tensor.shape[1])
                    )
                    let old = values
                    for index in values.indices {
                        let (row, column) = (index / inner / count, index / inner % count)
                        values[index] = old[(column * count + row) * inner + index % inner]
                    }
                }
            }
            add("channels", name) { values in
                if let last = values.indices.last, last > 0 { values.swapAt(0, last) }
            }
        }
        for node in folded.nodes
        where original.nodes.first(where: { $0.name == node.name })?.inputs != node.inputs {
            mutants += try attributeMutants(of: node, in: folded)
        }
        return mutants
    }

    private static func attributeMutants(of node: Node, in graph: Graph) throws -> [Mutant] {
        var changes: [(String, [String: Attribute])] = []
        for (name, value) in node.attributes {
            var attributes = node.attributes
            switch value {
            case .integers(let numbers)
            where name == "pads" && numbers.count == 4 && numbers[0] != numbers[2]:
                attributes[name] = .integers([numbers[2], numbers[3], numbers[0], numbers[1]])
            case .integer(let flag) where name.hasPrefix("trans"): attributes[name] = .integer(1 - flag)
            case .real(let number) where name == "alpha" || name == "beta":
                attributes[name] = .real(number * 2)
            default: continue
            }
            changes.append((name, attributes))
        }
        return try changes.map { name, attributes in
            let mutated = try Node(
                name: node.name, type: node.type, attributes: attributes, opset: graph.opset,
                inputs: node.inputs, outputs: node.outputs)
            return Mutant(
                kind: name,
                graph: try graph.applying(GraphEdit(replacements: [node.identifier: mutated])))
        }
    }

    @Test(arguments: GraphFamily.allCases)
    func `every mutant that computes something else is rejected`(_ family: GraphFamily) throws {
        var counts: [String: (rejected: Int, equivalent: Int)] = [:]
        for seed in 0..<UInt64(400) {
            let builder = try family.builder(seed: seed)
            let graph = try builder.graph()
            let result = try FoldPipeline.standard.run(graph)
            guard result.report.foldedCount + result.report.foldedChainCount > 0 else { continue }
            for mutant in try Self.mutants(of: result.graph, besides: graph) {
                let isProven =
                    (try? Certifier().certify(original: graph, folded: mutant.graph))?.isProven ?? false
                var count = counts[mutant.kind] ?? (0, 0)
                if isProven {
                    // What was proven must compute the same, up to the rounding that the proof allows.
                    let error = try Comparison(graph, mutant.graph, seed: seed).error
                    #expect(
                        error < tolerance(builder.elementType),
                        "seed \(seed), \(mutant.kind): \(graph.nodes.map(\.type))")
                    count.equivalent += 1
                } else {
                    count.rejected += 1
                }
                counts[mutant.kind] = count
            }
        }
        for (kind, count) in counts.sorted(by: { $0.key < $1.key }) {
            print("\(family), \(kind): \(count.rejected) rejected, \(count.equivalent) equivalent")
        }
        #expect(counts.values.reduce(0) { $0 + $1.rejected } > 1000)
    }
}
