import Foundation
import Graph
import ModelFormats
import Tensors

/// PyTorch's exported programs; Tests/Fixtures/pytorch/make.py writes them.
enum PyTorchFixtures {
    static let names = [
        "strided", "preact", "shapes", "norms", "recurrent", "attention", "dictionary", "windows", "contexts",
    ]

    static func path(_ name: String) -> String { "\(Fixtures.root)/Tests/Fixtures/pytorch/\(name).pt2" }

    static func graph(_ name: String) throws -> Graph { try PyTorchFormat().load(path: path(name)) }

    static func tensor(_ name: String, _ part: String) throws -> Tensor {
        try NPYFile.read(path: "\(Fixtures.root)/Tests/Fixtures/pytorch/\(name).\(part).npy")
    }

    /// The members of a fixture, each changed as `change` says, which gets the name below the root.
    static func members(
        _ name: String, change: (String, [UInt8]) -> [UInt8] = { $1 }
    ) throws -> [ZipFile.Member] {
        let archive = try ZipArchive(MappedFile(path: path(name)))
        return try archive.members.map { member in
            let contents = try archive.contents(of: member, maximumByteCount: 1 << 20)
            return ZipFile.Member(
                member.name, change(String(member.name.dropFirst(name.count + 1)), contents))
        }
    }

    /// What the graph answers, computed in Float64.
    static func outputs(of graph: Graph, _ inputs: [Tensor]) throws -> [Tensor] {
        var values = graph.constants.mapValues { ExactTensor($0) }
        for (port, tensor) in zip(graph.inputs, inputs) { values[port.name] = ExactTensor(tensor) }
        for node in graph.nodes {
            let outputs = try Evaluator(rounding: .exact)
                .evaluate(node, node.inputs.map { $0.flatMap { values[$0] } })
            for case (let name?, let value) in zip(node.outputs, outputs) { values[name] = value }
        }
        return graph.outputs.compactMap { values[$0.name]?.tensor }
    }
}
