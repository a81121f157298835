import CKernels

/// What a thread does that waits for nanoseconds rather than milliseconds.
package enum Spinning {
    /// Tells the processor that this is a waiting loop.
    package static func pause() { ck_pause() }
}
