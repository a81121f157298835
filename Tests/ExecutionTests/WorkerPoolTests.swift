import Execution
import Glibc
import Synchronization
import Testing
import Threads

@Suite struct WorkerPoolTests {
    @Test(arguments: [1, 2, 3, 5]) func `runs every task once`(_ threadCount: Int) {
        let pool = WorkerPool(threadCount: threadCount)
        for taskCount in [0, 1, 2, 3, 17, 200] {
            for _ in 0..<50 {
                let counts = Lock([Int](repeating: 0, count: taskCount))
                pool.run(taskCount: taskCount) { worker, task in
                    counts.withLock { $0[task] += 1 }
                    #expect(worker < threadCount)
                }
                #expect(counts.withLock { $0 } == [Int](repeating: 1, count: taskCount))
            }
        }
    }

    @Test func `two callers share a pool without waiting for each other`() {
        let pool = WorkerPool(threadCount: 2)
        let total = Atomic<Int>(0)
        let threads = (0..<3).map { index in
            Thread(name: "caller-\(index)") {
                for _ in 0..<500 {
                    pool.run(taskCount: 7) { _, task in total.add(task, ordering: .relaxed) }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(total.load(ordering: .relaxed) == 3 * 500 * 21)
    }

    @Test func `a worker that sleeps is woken`() {
        let pool = WorkerPool(threadCount: 2)
        for _ in 0..<5 {
            usleep(5_000)
            let total = Atomic<Int>(0)
            pool.run(taskCount: 100) { _, task in total.add(task, ordering: .relaxed) }
            #expect(total.load(ordering: .relaxed) == 4950)
        }
    }
}
