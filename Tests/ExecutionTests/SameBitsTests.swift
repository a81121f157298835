import Execution
import Graph
import Kernels
import Tensors
import Testing

/// A network as a recipe, so that each is a test argument of its own.
struct Recipe: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Without the batch.
    let item: [Int]
    let build: @Sendable (inout GraphSketch, inout Noise) throws -> Void

    static let all: [Recipe] = [
        Recipe(testDescription: "residual convolutions", item: [3, 13, 15]) { sketch, noise in
            sketch.constants["w1"] = noise.tensor([20, 3, 3, 3], scale: 0.2)
            sketch.constants["w2"] = noise.tensor([20, 20, 3, 3], scale: 0.1)
            sketch.constants["w3"] = noise.tensor([20, 20, 1, 1], scale: 0.2)
            sketch.constants["b"] = noise.tensor([20])
            let pads = ["pads": Attribute.integers([1, 1, 1, 1])]
            try sketch.add("Conv", ["x", "w1", "b"], ["a"], pads)
            try sketch.add("Relu", ["a"], ["r"])
            try sketch.add("Conv", ["r", "w2"], ["c"], pads)
            try sketch.add("Conv", ["r", "w3", "b"], ["d"])
            try sketch.add("Add", ["c", "d"], ["s"])
            try sketch.add("HardSwish", ["s"], ["h"])
            try sketch.add(
                "MaxPool", ["h"], ["m"],
                [
                    "kernel_shape": .integers([3, 3]), "strides": .integers([2, 2]),
                    "pads": .integers([1, 1, 1, 1]),
                ])
            try sketch.add("GlobalAveragePool", ["m"], ["g"])
            try sketch.add("Flatten", ["g"], ["y"])
        },
        Recipe(testDescription: "up again", item: [9, 6, 5]) { sketch, noise in
            sketch.constants["w1"] = noise.tensor([9, 12, 2, 2], scale: 0.2)
            sketch.constants["b1"] = noise.tensor([12])
            sketch.constants["scales"] = Tensor([1, 1, 2, 2] as [Float])
            sketch.constants["w2"] = noise.tensor([5, 21, 3, 3], scale: 0.1)
            try sketch.add("ConvTranspose", ["x", "w1", "b1"], ["t"], ["strides": .integers([2, 2])])
            try sketch.add("Resize", ["x", nil, "scales"], ["r"], ["mode": .string("linear")])
            try sketch.add("Concat", ["t", "r"], ["c"], ["axis": .integer(1)])
            try sketch.add("Conv", ["c", "w2"], ["y"], ["pads": .integers([1, 1, 1, 1])])
        },
        Recipe(testDescription: "dense layers", item: [37]) { sketch, noise in
            sketch.constants["w1"] = noise.tensor([50, 37], scale: 0.2)
            sketch.constants["b1"] = noise.tensor([50])
            sketch.constants["w2"] = noise.tensor([50, 7], scale: 0.2)
            try sketch.add("Gemm", ["x", "w1", "b1"], ["a"], ["transB": .integer(1)])
            try sketch.add("Sigmoid", ["a"], ["s"])
            try sketch.add("Mul", ["a", "s"], ["m"])
            try sketch.add("MatMul", ["m", "w2"], ["y"])
        },
        Recipe(testDescription: "panels that threads cannot share evenly", item: [64, 7, 7]) {
            sketch, noise in
            sketch.constants["w"] = noise.tensor([80, 64, 1, 1], scale: 0.2)
            sketch.constants["b"] = noise.tensor([80])
            try sketch.add("Conv", ["x", "w", "b"], ["y"])
        },
        Recipe(testDescription: "many channels of a pixel", item: [1040, 1, 1]) { sketch, noise in
            sketch.constants["w"] = noise.tensor([1024, 1040, 1, 1], scale: 0.02)
            try sketch.add("Conv", ["x", "w"], ["y"])
        },
        Recipe(testDescription: "more channels than a task's source", item: [50_000, 1, 1]) { sketch, _ in
            // Mostly zeros, or the sum's own rounding would be all that is seen.
            sketch.constants["w"] = try Tensor(
                (0..<150_000).map { $0 % 997 == 0 ? 0.5 : 0 } as [Float], shape: Shape([3, 50_000, 1, 1]))
            try sketch.add("Conv", ["x", "w"], ["y"])
        },
        Recipe(testDescription: "depthwise, normalized", item: [17, 11, 9]) { sketch, noise in
            sketch.constants["w"] = noise.tensor([17, 1, 3, 3], scale: 0.3)
            sketch.constants["p"] = noise.tensor([33, 17, 1, 1], scale: 0.3)
            for name in ["gamma", "beta", "mean"] { sketch.constants[name] = noise.tensor([33]) }
            sketch.constants["variance"] = try Tensor(
                [Float](repeating: 0.7, count: 33), shape: Shape([33]))
            try sketch.add(
                "Conv", ["x", "w"], ["d"],
                ["group": .integer(17), "strides": .integers([2, 2]), "pads": .integers([1, 1, 1, 1])])
            try sketch.add("Relu", ["d"], ["r"])
            try sketch.add("Conv", ["r", "p"], ["c"])
            try sketch.add("BatchNormalization", ["c", "gamma", "beta", "mean", "variance"], ["n"])
            try sketch.add("Tanh", ["n"], ["t"])
            try sketch.add(
                "AveragePool", ["t"], ["y"],
                ["kernel_shape": .integers([3, 3]), "pads": .integers([1, 0, 1, 1])])
        },
        Recipe(testDescription: "products of computed sides", item: [6, 19]) { sketch, noise in
            sketch.constants["w"] = noise.tensor([19, 24], scale: 0.2)
            sketch.constants["c"] = noise.tensor([24])
            try sketch.add("MatMul", ["x", "w"], ["q"])
            try sketch.add("Add", ["q", "c"], ["k"])
            try sketch.add("Reshape", ["k", "shape"], ["v"])
            try sketch.add("MatMul", ["q", "v"], ["y"])
            sketch.constants["shape"] = Tensor([Int64(0), 24, 6])
        },
    ]

    func graph() throws -> Graph {
        var sketch = GraphSketch()
        var noise = Noise(21)
        sketch.input("x", [.symbol("N")] + item.map(Dimension.known))
        try build(&sketch, &noise)
        return try sketch.graph(["y"])
    }
}

@Suite struct SameBitsTests {
    /// Eight items.
    private func items(_ recipe: Recipe) -> [[Float]] {
        var noise = Noise(5)
        let count = recipe.item.reduce(1, *)
        return (0..<8).map { _ in (0..<count).map { _ in noise.next() } }
    }

    private func run(_ session: Session, _ recipe: Recipe, _ items: [[Float]]) throws -> [[UInt32]] {
        let input = try Tensor(items.flatMap { $0 }, shape: Shape([items.count] + recipe.item))
        let output = try #require(try session.run(["x": input])["y"])
        let bits = try output.elements(as: Float.self).map(\.bitPattern)
        let count = bits.count / items.count
        return items.indices.map { Array(bits[$0 * count..<($0 + 1) * count]) }
    }

    @Test(arguments: Recipe.all, InstructionSet.supported)
    func `an item has the same bits in every batch, place and number of threads`(
        _ recipe: Recipe, _ set: InstructionSet
    ) throws {
        let executable = try Executable(
            try recipe.graph(), options: ExecutionOptions(instructionSet: set, nanosecondsPerThread: 0))
        let items = items(recipe)
        let alone = Session(executable, threadCount: 1)
        let expected = try items.map { try run(alone, recipe, [$0])[0] }
        for threadCount in [1, 2, 3] {
            let session = Session(executable, threadCount: threadCount)
            for batch in [1, 2, 3, 8] {
                #expect(try run(session, recipe, Array(items[..<batch])) == Array(expected[..<batch]))
                // And with everyone in another place.
                let turned = Array(items[(8 - batch)...].reversed())
                #expect(try run(session, recipe, turned) == Array(expected[(8 - batch)...].reversed()))
            }
        }
    }

    @Test(arguments: Recipe.all, InstructionSet.supported)
    func `a whole network equals the reference`(_ recipe: Recipe, _ set: InstructionSet) throws {
        let graph = try recipe.graph()
        let executable = try Executable(
            graph, options: ExecutionOptions(instructionSet: set, nanosecondsPerThread: 0))
        let input = try Tensor(items(recipe).flatMap { $0 }, shape: Shape([8] + recipe.item))
        let outputs = try Session(executable, threadCount: 2).run(["x": input])
        #expect(try worstError(outputs, exactly(graph, ["x": input])) < 1e-5)
        #expect(executable.stepDescriptions.allSatisfy { $0.kernel != "reference evaluation" })
    }
}
