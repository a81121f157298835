import Kernels

/// How an executable is made.
package struct ExecutionOptions: Sendable {
    /// `nil`: what the environment names, else the best that the processor runs.
    package var instructionSet: InstructionSet?
    /// The most memory that the values of one run may take, in bytes.
    package var arenaLimitByteCount: Int
    /// What turns nodes into fast steps, in the order in which it is asked; nothing: every node runs its evaluation.
    package var lowerings: LoweringCatalog
    /// Whether 3×3 convolutions may be computed by Winograd's algorithm: faster, with a little more rounding error.
    package var usesWinograd: Bool
    /// How much work a step has for each thread at least; less is done by fewer threads.
    package var nanosecondsPerThread: Double

    package init(
        instructionSet: InstructionSet? = nil, arenaLimitByteCount: Int = 4 << 30,
        lowerings: LoweringCatalog = .standard, usesWinograd: Bool = true,
        nanosecondsPerThread: Double = 5_000
    ) {
        self.instructionSet = instructionSet
        self.arenaLimitByteCount = arenaLimitByteCount
        self.lowerings = lowerings
        self.usesWinograd = usesWinograd
        self.nanosecondsPerThread = nanosecondsPerThread
    }
}
