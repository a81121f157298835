import Graph

/// How much a `.pt2` file may hold. Real networks stay far below each of these.
enum PyTorchLimits {
    /// The major version of the export schema that is understood.
    static let schemaVersion = 8
    /// models/model.json and the lists of weights, in bytes.
    static let maximumJSONByteCount = 128 << 20
    static let maximumNodeCount = Graph.maximumNodeCount
    static let maximumWeightCount = 100_000
    static let maximumPortCount = 4_096
    static let maximumRank = 64
    /// What weights that are not stored in C order may take when they are, beyond the size of the file, in bytes.
    static let maximumRearrangedByteCount = 1 << 28
    /// The elements of a tensor that an operator fills with one number or counts up.
    static let maximumFilledElementCount = 1 << 22
    /// Names of anything, in UTF-8.
    static let maximumNameByteCount = 4_096
    /// How many operators an error names.
    static let maximumNamedOperatorCount = 32
}
