import Graph
import Tensors
import Testing

import Folding

/// Gemm and MatMul.
@Suite struct ForwardIntoProductTests {
    @Test func `every Gemm takes it on its contracted axis`() throws {
        let shapes: [[Int]] = [[], [1], [5], [1, 5], [3, 1], [3, 5]]
        for transB in [false, true] {
            for shape in shapes {
                for (alpha, beta) in [(1, 1), (0.5, -2), (-1, 0)] as [(Float, Float)] {
                    for scales in ForwardNetwork.Scales.allCases {
                        var network = try ForwardNetwork([3, 4], scales: scales)
                        try network.builder.weight("w", transB ? [5, 4] : [4, 5])
                        try network.builder.weight("c", shape)
                        try network.node(
                            "Gemm", ["h", "w", "c"], "y",
                            [
                                "transB": .integer(transB ? 1 : 0), "alpha": .real(alpha),
                                "beta": .real(beta),
                            ])
                        let graph = try network.expectFolded(rule: "batchnorm-forward-into-gemm").graph
                        #expect(graph.nodes.map(\.type) == ["Gemm"])
                    }
                }
            }
        }
    }

    @Test func `a square Gemm without C, and one behind a scale alone`() throws {
        var network = try ForwardNetwork([4, 4])
        try network.builder.weight("w", [4, 4])
        try network.node("Gemm", ["h", "w"], "y", ["alpha": .real(3), "beta": .real(2)])
        try network.expectFolded(rule: "batchnorm-forward-into-gemm")
        network = try ForwardNetwork([4, 4], shifts: false)
        try network.builder.weight("w", [4, 4])
        try network.builder.weight("c", [4])
        // Without a shift C may be anybody's.
        network.builder.overridable = ["c"]
        try network.node("Gemm", ["h", "w", "c"], "y", ["beta": .real(2)])
        let graph = try network.expectFolded(rule: "batchnorm-forward-into-gemm").graph
        #expect(graph.nodes[0].inputs[2] == "c")
    }

    @Test func `refuses the rows of a Gemm, with as many rows as columns`() throws {
        var network = try ForwardNetwork([4, 4])
        try network.builder.weight("w", [4, 4])
        try network.node("Gemm", ["h", "w"], "y", ["transA": .integer(1)])
        try network.expectStays("Gemm 'gemm_y': the channels are on axis 1, it takes them on axis 0")
    }

    @Test func `a transposed Gemm takes what a Transpose brings`() throws {
        var network = try ForwardNetwork([4, 4])
        try network.builder.weight("w", [4, 4])
        try network.node("Transpose", ["h"], "t")
        try network.node("Gemm", ["t", "w"], "y", ["transA": .integer(1)])
        try network.expectFolded(rule: "batchnorm-forward-into-gemm", consumer: "gemm_y")
    }

    @Test func `a product takes it along its contracted axis and gets a sum`() throws {
        for scales in ForwardNetwork.Scales.allCases {
            var network = try ForwardNetwork([3, 4], scales: scales)
            try network.builder.weight("w", [4, 4])
            try network.node("MatMul", ["h", "w"], "y")
            let graph = try network.expectFolded(rule: "batchnorm-forward-into-matmul").graph
            #expect(graph.nodes.map(\.type) == ["MatMul", "Add"])
        }
    }

    @Test func `a constant that is added anyway takes the shift`() throws {
        for shape in [[4], [1, 4], [3, 1], [3, 4], []] {
            var network = try ForwardNetwork([3, 4])
            try network.builder.weight("w", [4, 4])
            try network.builder.weight("c", shape)
            try network.node("MatMul", ["h", "w"], "p")
            try network.node("Add", ["c", "p"], "y")
            let graph = try network.expectFolded(rule: "batchnorm-forward-into-matmul").graph
            #expect(graph.nodes.map(\.name) == ["matmul_p", "add_y"])
        }
    }

    @Test func `a constant on the left takes it along its columns`() throws {
        for dimensions in [[2, 4, 4], [2, 4, 3]] {
            var network = try ForwardNetwork(dimensions)
            try network.builder.weight("w", [4, 4])
            try network.node("MatMul", ["w", "h"], "y")
            try network.expectFolded(rule: "batchnorm-forward-into-matmul")
        }
    }

    @Test func `refuses an axis that the product keeps`() throws {
        var network = try ForwardNetwork([4, 4, 4])
        try network.builder.weight("w", [4, 4])
        try network.node("MatMul", ["h", "w"], "y")
        try network.expectStays("MatMul 'matmul_y': the channels are on axis 1, it contracts axis 2")
        network = try ForwardNetwork([4, 4])
        try network.builder.weight("w", [4, 4])
        try network.node("MatMul", ["w", "h"], "y")
        try network.expectStays("MatMul 'matmul_y': the channels are on axis 1, it contracts axis 0")
    }

    @Test func `refuses a stack of weights`() throws {
        var network = try ForwardNetwork([2, 3], shifts: false)
        try network.builder.weight("w", [4, 3, 2])
        try network.node("MatMul", ["h", "w"], "y")
        try network.expectStays("MatMul 'matmul_y': the weight has shape [4,3,2], expected a matrix")
    }

    @Test func `refuses a product with itself`() throws {
        var network = try ForwardNetwork([3, 3])
        try network.node("MatMul", ["h", "h"], "y")
        try network.expectStays("MatMul 'matmul_y': both its operands depend on it")
    }

    @Test func `a sum alone does not become a sum behind the product`() throws {
        var network = try ForwardNetwork([3, 4])
        network.builder.nodes = []
        try network.builder.weight("k", [4])
        try network.builder.weight("w", [4, 2])
        try network.node("Add", ["x", "k"], "h")
        try network.node("MatMul", ["h", "w"], "y")
        network.builder.output("y")
        let result = try FoldPipeline.standard.run(network.builder.graph())
        #expect(result.graph.nodes.map(\.type) == ["Add", "MatMul"])
    }
}
