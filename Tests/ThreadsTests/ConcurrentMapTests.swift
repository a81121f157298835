import Testing
import Threads

@Suite struct ConcurrentMapTests {
    @Test(arguments: [0, 1, 2, 7, 100], [1, 2, 3, 200])
    func `results stand in the order of their numbers, each computed once`(count: Int, threadCount: Int) {
        let calls = Lock([Int]())
        let results = ConcurrentMap.results(count: count, threadCount: threadCount) { number in
            calls.withLock { $0.append(number) }
            return number * number
        }
        #expect(results == (0..<count).map { $0 * $0 })
        #expect(calls.withLock { $0.sorted() } == Array(0..<count))
    }

    @Test func `as many numbers are under way at once as there are threads`() {
        let under = Lock(0)
        // Each waits for the other two, which one thread alone would never reach.
        let results = ConcurrentMap.results(count: 3, threadCount: 3) { number in
            under.withLock { $0 += 1 }
            under.notifyAll()
            return under.wait(nanoseconds: 10_000_000_000) { $0 == 3 ? number : nil }
        }
        #expect(results == [0, 1, 2])
    }

    @Test func `a negative count is none`() {
        #expect(ConcurrentMap.results(count: -1, threadCount: 2) { $0 }.isEmpty)
    }
}
