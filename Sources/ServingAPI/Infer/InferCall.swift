import ModelServing
import Tensors

/// An inference request as it was read and checked against the model.
struct InferCall: Sendable {
    struct Output: Sendable {
        let port: ModelInterface.Port
        /// Raw bytes after the JSON instead of numbers in it.
        let isBinary: Bool
        /// Above 0, the best so many classes instead of the values.
        let classCount: Int
    }

    var identifier: String?
    var inputs: [String: Tensor]
    var timeoutMicroseconds: UInt64?
    /// 1 is the highest; 0 for those who say nothing.
    var priority = 0
    var outputs: [Output]
}
