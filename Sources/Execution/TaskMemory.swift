import Kernels

/// The memory of one step as its tasks see it.
///
/// The pointers are valid during the task; every value is followed by at least `FloatMemory.slack` readable floats.
package struct TaskMemory {
    /// Where the inputs lie, then the outputs.
    let addresses: UnsafePointer<UnsafeMutableRawPointer>
    let inputCount: Int
    let scratchAddress: UnsafeMutableRawPointer
    let workerScratchAddress: UnsafeMutableRawPointer

    package func input(_ index: Int) -> UnsafePointer<Float> {
        UnsafePointer(addresses[index].assumingMemoryBound(to: Float.self))
    }

    package func output(_ index: Int) -> UnsafeMutablePointer<Float> {
        addresses[inputCount + index].assumingMemoryBound(to: Float.self)
    }

    package var scratch: UnsafeMutablePointer<Float> {
        scratchAddress.assumingMemoryBound(to: Float.self)
    }

    package var workerScratch: UnsafeMutablePointer<Float> {
        workerScratchAddress.assumingMemoryBound(to: Float.self)
    }
}
