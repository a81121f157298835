import Foundation
import Graph
import ModelFormats
import Tensors

/// Makes a graph that fails a test as small as it can be, and writes it to a file for whoever looks into it.
struct GraphShrinker {
    /// Whether a graph still fails.
    let fails: (Graph) -> Bool

    /// A graph that fails and of which no node and no output can be taken away.
    func smallest(_ graph: Graph) -> Graph {
        var smallest = graph
        while let smaller = candidates(of: smallest).first(where: fails) { smallest = smaller }
        return smallest
    }

    /// Writes the smallest graph that fails to `.build/failing-graphs/`; returns where.
    func write(_ graph: Graph, name: String) -> String {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../.build/failing-graphs").standardized
        let path = folder.appending(path: name + ".onnx").path
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try ONNXWriter().write(smallest(graph), to: path)
            return path
        } catch {
            return "\(path) (not written: \(error))"
        }
    }

    /// The graph without one of its outputs, or without one of its nodes: what read it reads an input of the graph.
    private func candidates(of graph: Graph) -> [Graph] {
        var candidates: [Graph] = []
        for output in graph.outputs where graph.outputs.count > 1 {
            candidates.append(without(graph, outputs: [output.name], nodes: []))
        }
        for node in graph.nodes.reversed() {
            candidates.append(without(graph, outputs: node.outputs.compactMap { $0 }, nodes: [node.name]))
        }
        return candidates.filter { !$0.outputs.isEmpty && !$0.nodes.isEmpty }
    }

    private func without(_ graph: Graph, outputs: [String], nodes: [String]) -> Graph {
        let values = (try? graph.inferValues()) ?? [:]
        let kept = graph.nodes.filter { !nodes.contains($0.name) }
        let read = Set(kept.flatMap(\.inputs).compactMap { $0 })
        let defined = Set(kept.flatMap(\.outputs).compactMap { $0 })
        var inputs = graph.inputs
        for name in outputs where read.contains(name) && !defined.contains(name) {
            inputs.append(Graph.Port(name: name, info: values[name] ?? ValueInfo(nil, nil)))
        }
        var ports = graph.outputs.filter { !outputs.contains($0.name) }
        if ports.isEmpty {
            // The last value that is left is asked for instead.
            ports =
                kept.last.flatMap { $0.outputs.first ?? nil }.map {
                    [Graph.Port(name: $0, info: ValueInfo(values[$0]?.elementType, nil))]
                } ?? []
        }
        let smaller = try? Graph(
            name: graph.name, opset: graph.opset, inputs: inputs, outputs: ports,
            constants: graph.constants, overridableInputs: graph.overridableInputs, nodes: kept)
        guard var result = smaller?.removingUnused() else { return graph }
        let needed = Set(result.nodes.flatMap(\.inputs).compactMap { $0 }).union(ports.map(\.name))
        result.inputs.removeAll { !needed.contains($0.name) }
        // A graph that has not become smaller is none of the candidates.
        return result.nodes.count + result.outputs.count < graph.nodes.count + graph.outputs.count
            ? result : Self.empty
    }

    private static let empty = try! Graph(
        name: "", opset: 17, inputs: [], outputs: [], constants: [:], nodes: [])
}
