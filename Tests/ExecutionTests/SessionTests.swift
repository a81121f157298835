import Execution
import Graph
import Tensors
import Testing
import Threads

@Suite struct SessionTests {
    private func executable(_ options: ExecutionOptions = ExecutionOptions()) throws -> Executable {
        var sketch = GraphSketch()
        sketch.input("a", [.symbol("N"), .known(4)])
        sketch.input("b", [.symbol("N"), .known(4)])
        try sketch.add("Add", ["a", "b"], ["sum"])
        try sketch.add("Relu", ["sum"], ["y"])
        return try Executable(try sketch.graph(["y"]), options: options)
    }

    private func floats(_ dimensions: Int...) -> Tensor {
        var noise = Noise(1)
        return noise.tensor(dimensions)
    }

    @Test func `refuses a missing input`() throws {
        let session = Session(try executable(), threadCount: 1)
        #expect { try session.run(["a": floats(2, 4)]) } throws: { "\($0)".contains("'b' is missing") }
    }

    @Test func `refuses an input that the model does not have`() throws {
        let session = Session(try executable(), threadCount: 1)
        #expect { try session.run(["a": floats(2, 4), "b": floats(2, 4), "c": floats(1)]) } throws: {
            "\($0)".contains("no input 'c'")
        }
    }

    @Test func `refuses another element type`() throws {
        let session = Session(try executable(), threadCount: 1)
        let doubles = try Tensor([Double](repeating: 0, count: 8), shape: Shape([2, 4]))
        #expect { try session.run(["a": doubles, "b": floats(2, 4)]) } throws: {
            "\($0)".contains("float64") && "\($0)".contains("'a'")
        }
    }

    @Test func `refuses another shape, and two extents for one symbol`() throws {
        let session = Session(try executable(), threadCount: 1)
        #expect(throws: ExecutionError.self) { try session.run(["a": floats(2, 5), "b": floats(2, 5)]) }
        #expect(throws: ExecutionError.self) { try session.run(["a": floats(8), "b": floats(2, 4)]) }
        #expect { try session.run(["a": floats(2, 4), "b": floats(3, 4)]) } throws: {
            "\($0)" == "input 'b' has shape [3, 4], expected [2, 4]"
        }
    }

    @Test func `refuses shapes whose values do not fit, and takes those that do`() throws {
        // Two inputs of 4·N floats; the output takes the place of one.
        let tight = Session(
            try executable(ExecutionOptions(arenaLimitByteCount: 2 * 64 * 16)), threadCount: 1)
        let fitting = floats(64, 4)
        #expect(try tight.run(["a": fitting, "b": fitting])["y"]?.shape.dimensions == [64, 4])
        let over = floats(65, 4)
        #expect { try tight.run(["a": over, "b": over]) } throws: { "\($0)".contains("limit") }
    }

    @Test func `runs an empty batch`() throws {
        let session = Session(try executable(), threadCount: 2)
        #expect(try session.run(["a": floats(0, 4), "b": floats(0, 4)])["y"]?.shape.dimensions == [0, 4])
    }

    @Test func `keeps a bounded number of schedules`() throws {
        let executable = try executable()
        let session = Session(executable, threadCount: 1)
        for batch in 1...40 {
            let outputs = try session.run(["a": floats(batch, 4), "b": floats(batch, 4)])
            #expect(outputs["y"]?.shape.dimensions == [batch, 4])
        }
        #expect(executable.cachedScheduleCount == 16)
    }

    @Test func `an input that is also an output comes back`() throws {
        var sketch = GraphSketch()
        sketch.input("x", [.known(3)])
        sketch.constants["c"] = Tensor([Float(1), 2])
        try sketch.add("Relu", ["x"], ["y"])
        let session = Session(try Executable(try sketch.graph(["x", "y", "c"])), threadCount: 1)
        let outputs = try session.run(["x": Tensor([Float(-1), 0, 2])])
        #expect(try outputs["x"]?.elements(as: Float.self) == [-1, 0, 2])
        #expect(try outputs["y"]?.elements(as: Float.self) == [0, 0, 2])
        #expect(try outputs["c"]?.elements(as: Float.self) == [1, 2])
    }

    @Test func `sessions that share a pool give the same answers at once`() throws {
        let recipe = Recipe.all[0]
        let executable = try Executable(try recipe.graph())
        let pool = WorkerPool(threadCount: 2)
        var noise = Noise(9)
        let input = noise.tensor([2] + recipe.item)
        let expected = try #require(try Session(executable, threadCount: 1).run(["x": input])["y"])
        let bits = try expected.elements(as: Float.self)
        let wrong = Lock(0)
        let threads = (0..<3).map { index in
            Thread(name: "session-\(index)") {
                let session = Session(executable, pool: pool)
                for _ in 0..<20 {
                    let actual = try? session.run(["x": input])["y"]?.elements(as: Float.self)
                    if actual != bits { wrong.withLock { $0 += 1 } }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(wrong.withLock { $0 } == 0)
    }

    @Test func `a session may run on other threads from run to run`() throws {
        let executable = try executable()
        let session = Session(executable, threadCount: 2)
        let shared = session.pool
        let inputs = ["a": floats(64, 4), "b": floats(64, 4)]
        let expected = try Session(executable, threadCount: 1).run(inputs)["y"]?.elements(as: Float.self)
        var byteCounts: [Int] = []
        for _ in 0..<2 {
            for pool in [shared, .callerOnly] {
                session.pool = pool
                #expect(try session.run(inputs)["y"]?.elements(as: Float.self) == expected)
            }
            byteCounts.append(session.arenaByteCount)
        }
        // One arena serves both.
        #expect(byteCounts[0] == byteCounts[1])
    }

    @Test func `integers and nodes without a lowering run their evaluation`() throws {
        var sketch = GraphSketch()
        sketch.input("x", [.symbol("N"), .known(3)])
        sketch.input("k", [.symbol("N")], .int64)
        try sketch.add("Add", ["k", "k"], ["kk"])
        try sketch.add("Mish", ["x"], ["m"])
        try sketch.add("Relu", ["m"], ["y"])
        let graph = try sketch.graph(["kk", "y"])
        let executable = try Executable(graph)
        #expect(executable.stepDescriptions.filter { $0.kernel == "reference evaluation" }.count == 2)
        let inputs = ["x": floats(2, 3), "k": Tensor([Int64(3), -4])]
        let outputs = try Session(executable, threadCount: 1).run(inputs)
        #expect(try outputs["kk"]?.elements(as: Int64.self) == [6, -8])
        #expect(try worstError(outputs, exactly(graph, inputs)) < 1e-5)
    }

    @Test func `a shape that depends on data is found out while running`() throws {
        var sketch = GraphSketch()
        sketch.input("x", [.symbol("N"), .known(6)])
        sketch.input("shape", [.known(2)], .int64)
        sketch.constants["w"] = floats(3, 5)
        try sketch.add("Relu", ["x"], ["r"])
        try sketch.add("Reshape", ["r", "shape"], ["v"])
        try sketch.add("Relu", ["v"], ["y"])
        let graph = try sketch.graph(["y"])
        let session = Session(try Executable(graph), threadCount: 2)
        for shape in [[Int64(3), 4], [2, 6], [12, 1]] {
            let inputs = ["x": floats(2, 6), "shape": Tensor(shape)]
            let outputs = try session.run(inputs)
            #expect(outputs["y"]?.shape.dimensions == shape.map { Int($0) })
            #expect(try worstError(outputs, exactly(graph, inputs)) < 1e-6)
        }
        #expect(throws: ExecutionError.self) {
            try session.run(["x": floats(2, 6), "shape": Tensor([Int64(5), 5])])
        }
    }
}
