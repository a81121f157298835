import Execution
import Graph
import Tensors
import Testing

@Suite struct ProfileTests {
    /// Two convolutions on images large enough that a batch goes through them item by item, and a mean.
    private func network() throws -> Graph {
        var (sketch, noise) = (GraphSketch(), Noise(5))
        sketch.input("x", [.symbol("N"), .known(16), .known(64), .known(64)])
        for name in ["v", "w"] { sketch.constants[name] = noise.tensor([16, 16, 3, 3], scale: 0.1) }
        let pads = ["pads": Attribute.integers([1, 1, 1, 1])]
        try sketch.add("Conv", ["x", "v"], ["a"], pads)
        try sketch.add("Conv", ["a", "w"], ["b"], pads)
        try sketch.add("GlobalAveragePool", ["b"], ["y"])
        return try sketch.graph(["y"])
    }

    @Test func `a batch's profile has the time and the work of each step that items go through alone`() throws
    {
        let session = Session(try Executable(try network()), threadCount: 2)
        var noise = Noise(6)
        for items in [1, 8] {
            let profile = try session.profile(["x": noise.tensor([items, 16, 64, 64])], runCount: 3)
            let convolutions = profile.filter { $0.step.operators.contains("Conv") }
            #expect(convolutions.count == 2)
            for entry in convolutions {
                #expect(entry.nanoseconds > 0)
                #expect(entry.isItemwise == (items > 1))
                // Two operations for each of 16 · 3 · 3 multiply-adds of an output.
                #expect(entry.work?.operationCount == Double(items * 2 * 16 * 9 * 16 * 64 * 64))
            }
        }
    }
}
