import Kernels

/// How an executable is made.
package struct ExecutionOptions: Sendable {
    /// `nil`: what the environment names, else the best that the processor runs.
    package var instructionSet: InstructionSet?
    /// The most memory that the values of one run may take, in bytes.
    package var arenaLimitByteCount: Int
    /// What turns nodes into fast steps, in the order in which it is asked; nothing: every node runs its evaluation.
    package var lowerings: LoweringCatalog

    package init(
        instructionSet: InstructionSet? = nil, arenaLimitByteCount: Int = 4 << 30,
        lowerings: LoweringCatalog = .standard
    ) {
        self.instructionSet = instructionSet
        self.arenaLimitByteCount = arenaLimitByteCount
        self.lowerings = lowerings
    }
}
