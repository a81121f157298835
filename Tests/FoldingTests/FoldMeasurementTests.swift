import Graph
import Tensors
import Testing

import Folding

@Suite struct FoldMeasurementTests {
    private func measured(_ builder: GraphBuilder) throws -> FoldReport {
        let graph = try builder.graph()
        return FoldMeasurement.measure(original: graph, result: try FoldPipeline.standard.run(graph))
    }

    @Test func `every kind of fold is measured`() throws {
        let builders = [
            try FoldIntoConvTests.builder(input: [2, 3, 9], weight: [4, 3, 3]),
            try FoldIntoConvTests.builder(
                input: [2, 4, 40, 40], weight: [6, 2, 3, 5],
                ["group": .integer(2), "pads": .integers([1, 2, 1, 2]), "strides": .integers([2, 3])]),
            try FoldIntoConvTransposeTests.builder(input: [1, 6, 4, 4], weight: [6, 3, 3, 3], group: 2),
            try FoldIntoGemmTests.builder(bias: [3, 1], transA: true),
            try FoldIntoGemmTests.builder(bias: [5], transB: true),
            try FoldIntoMatMulTests.builder(input: [3, 4], weight: [4, 5], channels: 5),
            try FoldIntoMatMulTests.builder(
                input: [2, 4, 3], weight: [5, 4], weightFirst: true, channels: 5),
            try FoldIntoMatMulAddTests.builder(bias: [3, 1], biasFirst: true),
            try ComposeAffinesTests.builder(convolution: true),
        ]
        for builder in builders {
            for entry in try measured(builder).entries {
                let error = try #require(entry.measuredRelativeError, "\(entry)")
                #expect(error > 0 && error < 1e-6)
                #expect((entry.measuredError ?? 1) >= error)
            }
        }
    }

    @Test func `what was refused is not measured`() throws {
        var builder = try FoldIntoConvTests.builder(input: [2, 3, 9], weight: [4, 3, 3])
        builder.output("h")
        #expect(try measured(builder).entries.map(\.measuredError) == [nil])
    }

    @Test func `the same seed gives the same figures`() throws {
        let builder = try FoldPipelineTests.network(depth: 3)
        #expect(
            try measured(builder).entries.map(\.measuredError)
                == measured(builder).entries.map(\.measuredError))
    }
}
