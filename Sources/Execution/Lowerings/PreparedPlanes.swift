import Kernels

/// The planes of a step's first input as a window reads them: padded, strides taken apart, in the memory that tasks share.
struct PreparedPlanes: Sendable {
    let scratchCount: Int
    let phase: ScheduledOperation.Phase

    /// `planes`: items · channels. `nil` where the window reads the input as it lies.
    init?(_ geometry: WindowGeometry, planes: Int) {
        guard !geometry.isDirect else { return nil }
        let (count, overflow) = planes.multipliedReportingOverflow(by: geometry.planeCount)
        // More than any arena may have.
        scratchCount = overflow ? .max / 16 : count
        let chunks = Chunks.rows(planes, length: geometry.planeCount)
        phase = ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
            for plane in chunks[task] {
                geometry.prepare(
                    memory.input(0) + plane * geometry.inputCount,
                    into: memory.scratch + plane * geometry.planeCount, fill: 0)
            }
        }
    }
}
