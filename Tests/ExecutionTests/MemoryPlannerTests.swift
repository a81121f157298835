import Execution
import Testing

@Suite struct MemoryPlannerTests {
    private func check(_ buffers: [MemoryPlanner.Buffer]) throws -> Int {
        let plan = try #require(MemoryPlanner.place(buffers, limit: 1 << 30))
        for one in buffers.indices {
            #expect(plan.byteOffsets[one] % 64 == 0)
            #expect(plan.byteOffsets[one] + buffers[one].byteCount <= plan.byteCount)
            for other in buffers.indices where other > one {
                let (a, b) = (buffers[one], buffers[other])
                guard a.first <= b.last, b.first <= a.last, a.byteCount > 0, b.byteCount > 0 else { continue }
                let (x, y) = (plan.byteOffsets[one], plan.byteOffsets[other])
                #expect(x + a.byteCount <= y || y + b.byteCount <= x)
            }
        }
        return plan.byteCount
    }

    @Test func `buffers that live together never overlap`() throws {
        var noise = Noise(1)
        for _ in 0..<50 {
            _ = try check(
                (0..<60).map { _ in
                    let first = Int(abs(noise.next()) * 20)
                    return MemoryPlanner.Buffer(
                        byteCount: Int(abs(noise.next()) * 1000), first: first,
                        last: first + Int(abs(noise.next()) * 10))
                })
        }
    }

    @Test func `a chain needs two buffers`() throws {
        let chain = (0..<20).map { MemoryPlanner.Buffer(byteCount: 640, first: $0, last: $0 + 1) }
        #expect(try check(chain) == 1280)
    }

    @Test func `the limit holds, and one byte more does not`() {
        let buffer = MemoryPlanner.Buffer(byteCount: 128, first: 0, last: 0)
        #expect(MemoryPlanner.place([buffer, buffer], limit: 256) != nil)
        #expect(MemoryPlanner.place([buffer, buffer], limit: 255) == nil)
        #expect(
            MemoryPlanner.place([MemoryPlanner.Buffer(byteCount: .max, first: 0, last: 0)], limit: 256) == nil
        )
    }
}
