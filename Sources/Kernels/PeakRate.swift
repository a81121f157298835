import CKernels

/// How fast this processor multiplies and adds, measured.
package enum PeakRate {
    /// So many steps take about a millisecond; the best of the rounds counts.
    private static let stepCount = 250_000
    private static let roundCount = 20

    /// Floating-point operations in a nanosecond (GFLOP/s) on this thread: two for each multiply-add.
    package static func measure(_ kernels: KernelTable) -> Double {
        let functions = kernels.functions.pointee
        let clock = ContinuousClock()
        var best = 0.0
        var sum: Float = 0
        for _ in 0..<roundCount {
            let duration = clock.measure { sum += functions.multiply_adds(stepCount) }
            let operations = Double(stepCount) * Double(functions.multiplyAddOperations)
            best = max(best, operations / max(1, duration / .nanoseconds(1)))
        }
        // The sum is used, so that it is computed.
        return sum.isNaN ? 0 : best
    }
}
