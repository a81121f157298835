import Testing
import Threads

@Suite struct ConcurrentPairTests {
    @Test func `with one thread one comes after the other`() {
        let order = Lock([Int]())
        let results = ConcurrentPair.results(threadCount: 1) {
            order.withLock { $0.append(1) }
            return "first"
        } _: {
            order.withLock { $0.append(2) }
            return 2
        }
        #expect(results == ("first", 2))
        #expect(order.withLock { $0 } == [1, 2])
    }

    @Test func `with more both are under way at once`() {
        let under = Lock(0)
        // Each waits for the other.
        @Sendable func meet() -> Bool? {
            under.withLock { $0 += 1 }
            under.notifyAll()
            return under.wait(nanoseconds: 10_000_000_000) { $0 == 2 ? true : nil }
        }
        #expect(ConcurrentPair.results(threadCount: 2, meet, meet) == (true, true))
    }
}
