/// How long the phases of a model's predictions took, and how many items its runs had.
package final class PhaseHistograms: Sendable {
    /// Reading the inputs.
    package let read = Histogram()
    /// Waiting for a worker.
    package let queue = Histogram()
    /// Running the network.
    package let compute = Histogram()
    /// Writing the answer.
    package let serialise = Histogram()
    package let batchSize = Histogram(.items)

    package init() {}
}
