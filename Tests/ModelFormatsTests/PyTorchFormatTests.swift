import Foundation
import Graph
import ModelFormats
import Tensors
import Testing

@Suite struct PyTorchFormatTests {
    private static let tolerance = 1e-5

    @Test(arguments: PyTorchFixtures.names) func `answers what PyTorch answers`(_ name: String) throws {
        let graph = try PyTorchFixtures.graph(name)
        let inputs = try graph.inputs.indices.map { try PyTorchFixtures.tensor(name, "input\($0)") }
        let outputs = try PyTorchFixtures.outputs(of: graph, inputs)
        #expect(outputs.count == graph.outputs.count)
        for (index, actual) in outputs.enumerated() {
            let expected = try PyTorchFixtures.tensor(name, "expected\(index)")
            #expect(actual.shape == expected.shape)
            let pairs = zip(try actual.elements(as: Float.self), try expected.elements(as: Float.self))
            #expect(pairs.allSatisfy { abs(Double($0 - $1)) <= Self.tolerance * max(1, abs(Double($1))) })
        }
    }

    @Test func `calls the first axis of an input the batch, and nodes by their modules`() throws {
        let graph = try PyTorchFixtures.graph("preact")
        #expect(graph.inputs[0].info.dimensions?.first == .symbol("batch"))
        #expect(graph.outputs[0].info.dimensions?.first == .symbol("batch"))
        #expect(graph.nodes.filter { $0.type == "BatchNormalization" }.count == 4)
        #expect(graph.nodes[0].name == "0/batch_norm")
    }

    @Test func `calls outputs as the dictionary does that the model returns`() throws {
        let graph = try PyTorchFixtures.graph("dictionary")
        #expect(graph.outputs.map(\.name) == ["linear", "relu", "logits"])
        let producers = graph.outputs.map { port in
            graph.nodes.first { $0.outputs.contains(port.name) }?.type
        }
        #expect(producers == ["Relu", "ReduceSum", "Gemm"])
    }

    @Test func `leaves weights in C order where they are in the file`() throws {
        let graph = try PyTorchFixtures.graph("strided")
        let file = try MappedFile(path: PyTorchFixtures.path("strided"))
        // Both are parts of one storage; `a` is its transpose and is rearranged.
        let constants = graph.constants.filter { !$0.key.hasPrefix("constant/") }
        #expect(constants.keys.sorted() == ["a", "b", "bias", "c"])
        for name in ["b", "bias"] {
            let bytes = try #require(constants[name]).withUnsafeBytes { Array($0) }
            #expect(try #require(file.bytes.firstRange(of: bytes)).count == bytes.count)
        }
        let a = try #require(constants["a"])
        #expect(a.shape.dimensions == [12, 10])
    }

    @Test func `the shipped model holds the weights of its first version, and every normalization`() throws {
        let first = try ONNXFormat().load(path: Fixtures.models + "/digits_cnn/1/model.onnx")
        let second = try PyTorchFormat().load(path: Fixtures.models + "/digits_cnn/2/model.pt2")
        #expect(second.inputs.map(\.name) == first.inputs.map(\.name))
        #expect(second.outputs.map(\.name) == first.outputs.map(\.name))
        #expect(second.nodes.filter { $0.type == "BatchNormalization" }.count == 4)
        for (name, weight) in first.constants where name.hasSuffix("weight") {
            let bytes = weight.withUnsafeBytes { Array($0) }
            let same = try #require(second.constants["model." + name])
            #expect(same.withUnsafeBytes { $0.elementsEqual(bytes) }, "\(name)")
        }
    }
}
