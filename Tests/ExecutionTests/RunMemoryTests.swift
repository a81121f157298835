import AllocationCounter
import Execution
import Graph
import Tensors
import Testing

/// What a run allocates and copies: nothing that it need not.
@Suite struct RunMemoryTests {
    private func allocations(_ body: () throws -> Void) rethrows -> Int {
        let before = allocation_counter_count()
        try body()
        return allocation_counter_count() - before
    }

    private func input(_ recipe: Recipe, batch: Int) -> Tensor {
        var noise = Noise(7)
        return noise.tensor([batch] + recipe.item)
    }

    @Test(.enabled(if: allocation_counter_counts())) func `allocations are counted`() {
        #expect(allocations { _ = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 64) } == 1)
        #expect(allocations { _ = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 8) } == 1)
    }

    @Test(.enabled(if: allocation_counter_counts()), arguments: Recipe.all, [1, 2])
    func `a run into the caller's memory allocates nothing`(_ recipe: Recipe, _ threadCount: Int) throws {
        let session = Session(try Executable(try recipe.graph()), threadCount: threadCount)
        for batch in [1, 3] {
            let inputs = [input(recipe, batch: batch)]
            let expected = try #require(try session.run(inputs).first)
            var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
            let output = Tensor(unfilled: .float32, shape: expected.shape, memory: &memory)
            let outputs = [memory]
            for slack in [0, Storage.slackByteCount] {
                memory.initializeMemory(as: UInt8.self, repeating: 0xff)
                let count = try allocations {
                    for _ in 0..<10 { try session.run(inputs, into: outputs, slackByteCount: slack) }
                }
                #expect(count == 0)
                #expect(try output.elements(as: Float.self) == expected.elements(as: Float.self))
            }
            // Alternating shapes are remembered as well.
            let other = [input(recipe, batch: 2)]
            _ = try session.run(other)
            #expect(try allocations { try session.run(inputs, into: outputs) } == 0)
        }
    }

    @Test(.enabled(if: allocation_counter_counts()))
    func `a run that keeps threads busy allocates nothing`() throws {
        var sketch = GraphSketch()
        var noise = Noise(8)
        sketch.input("x", [.symbol("N"), .known(512)])
        sketch.constants["w"] = noise.tensor([512, 512])
        try sketch.add("MatMul", ["x", "w"], ["y"])
        let session = Session(try Executable(try sketch.graph(["y"])), threadCount: 2)
        let inputs = [noise.tensor([64, 512])]
        let expected = try session.run(inputs)[0]
        var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        let output = Tensor(unfilled: .float32, shape: expected.shape, memory: &memory)
        let outputs = [memory]
        #expect(try allocations { for _ in 0..<20 { try session.run(inputs, into: outputs) } } == 0)
        #expect(try output.elements(as: Float.self) == expected.elements(as: Float.self))
    }

    @Test(.enabled(if: allocation_counter_counts()))
    func `a run allocates its outputs and little else`() throws {
        let recipe = Recipe.all[0]
        let session = Session(try Executable(try recipe.graph()), threadCount: 1)
        let inputs = [input(recipe, batch: 2)]
        _ = try session.run(inputs)
        // The outputs' memory and its owner, and the arrays that hold both.
        #expect(try allocations { _ = try session.run(inputs) } <= 4)
    }

    @Test func `inputs are left alone, wherever they lie`() throws {
        // The first step would compute in place.
        var sketch = GraphSketch()
        sketch.input("a", [.symbol("N")])
        sketch.input("b", [.symbol("N")])
        try sketch.add("Relu", ["a"], ["r"])
        try sketch.add("Reshape", ["b", "whole"], ["v"])
        sketch.constants["whole"] = Tensor([Int64(-1)])
        try sketch.add("Mul", ["r", "v"], ["m"])
        try sketch.add("Sigmoid", ["m"], ["y"])
        let graph = try sketch.graph(["y", "v", "a"])
        let session = Session(try Executable(graph), threadCount: 1)
        var noise = Noise(3)
        for count in [1, 5, 64, 1000] {
            let (a, b) = (noise.tensor([count]), noise.tensor([count]))
            // The same bytes without room behind them, and not aligned.
            let crowded = Crowded(b, byteOffset: 3)
            let tight = try Tensor(
                elementType: .float32, shape: b.shape, storage: Storage(viewing: crowded.bytes, of: crowded))
            let before = try (a.elements(as: Float.self), b.elements(as: Float.self))
            for second in [b, tight] {
                let outputs = try session.run([a, second])
                let named = Dictionary(uniqueKeysWithValues: zip(["y", "v", "a"], outputs))
                #expect(try worstError(named, exactly(graph, ["a": a, "b": b])) < 1e-6)
                #expect(try outputs[1].elements(as: Float.self) == before.1)
                #expect(try outputs[2].elements(as: Float.self) == before.0)
                #expect(try a.elements(as: Float.self) == before.0)
                #expect(try second.elements(as: Float.self) == before.1)
            }
        }
    }

    @Test func `memory of another size than the outputs is refused`() throws {
        let recipe = Recipe.all[2]
        let session = Session(try Executable(try recipe.graph()), threadCount: 1)
        let inputs = [input(recipe, batch: 1)]
        var bytes = [UInt8](repeating: 0, count: 27)
        bytes.withUnsafeMutableBytes { memory in
            #expect { try session.run(inputs, into: [memory]) } throws: { "\($0)".contains("28 bytes") }
            #expect(throws: ExecutionError.self) { try session.run(inputs, into: []) }
            #expect(throws: ExecutionError.self) { try session.run([], into: [memory]) }
        }
    }

    @Test func `an output of the caller's memory is written there and nowhere else`() throws {
        let recipe = Recipe.all[2]
        let session = Session(try Executable(try recipe.graph()), threadCount: 1)
        let inputs = [input(recipe, batch: 3)]
        let expected = try session.run(inputs)[0].elements(as: Float.self)
        var memory = [Float](repeating: 9, count: expected.count + 100)
        for offset in [0, 1, 16] {
            for index in memory.indices { memory[index] = 9 }
            try memory.withUnsafeMutableBytes { bytes in
                let place = UnsafeMutableRawBufferPointer(
                    rebasing: bytes[(offset * 4)..<((offset + expected.count) * 4)])
                try session.run(inputs, into: [place])
            }
            #expect(Array(memory[offset..<(offset + expected.count)]) == expected)
            #expect(memory[..<offset].allSatisfy { $0 == 9 })
            #expect(memory[(offset + expected.count)...].allSatisfy { $0 == 9 })
        }
    }
}

/// Bytes with nothing behind them that anyone may read.
private final class Crowded: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer
    private let memory: UnsafeMutableRawBufferPointer

    init(_ tensor: Tensor, byteOffset: Int) {
        memory = .allocate(byteCount: tensor.byteCount + byteOffset, alignment: 16)
        tensor.withUnsafeBytes { [memory] in
            UnsafeMutableRawBufferPointer(rebasing: memory[byteOffset...]).copyMemory(from: $0)
        }
        bytes = UnsafeRawBufferPointer(rebasing: memory[byteOffset...])
    }

    deinit { memory.deallocate() }
}
