import ModelServing
import Synchronization
import Testing
import Threads

@Suite struct DeferredValueTests {
    @Test func `is made once for all who ask`() throws {
        let worker = WorkerQueue(name: "test", threadCount: 2, limit: 10)
        let made = Counter()
        let answered = Counter()
        let value = DeferredValue<Int> {
            made.increment()
            return 7
        }
        for _ in 0..<50 { try value.get(on: worker) { if $0 == 7 { answered.increment() } } }
        worker.stop()
        #expect(made.value == 1 && answered.value == 50)
    }

    @Test func `a full worker refuses and a later attempt succeeds`() throws {
        let worker = WorkerQueue(name: "test", threadCount: 1, limit: 1)
        let gate = Lock((entered: false, open: false))
        try worker.submit {
            gate.withLock { $0.entered = true }
            gate.notifyAll()
            _ = gate.wait { $0.open ? true : nil }
        }
        _ = gate.wait { $0.entered ? true : nil }
        try worker.submit {}
        let value = DeferredValue<Int> { 7 }
        #expect(throws: ServingError.busy(what: "test")) { try value.get(on: worker) { _ in } }
        gate.withLock { $0.open = true }
        gate.notifyAll()
        let answered = Counter()
        while answered.value == 0 {
            do { try value.get(on: worker) { _ in answered.increment() } } catch { continue }
            worker.stop()
        }
        #expect(answered.value == 1)
    }
}
