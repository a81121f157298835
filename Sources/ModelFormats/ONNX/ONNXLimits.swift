import Graph

/// How much a model file may hold. Real networks stay far below each of these; a hostile file stops at them before it
/// takes more than a few times its own size of memory.
enum ONNXLimits {
    /// The IR versions that are understood.
    static let irVersions: ClosedRange<Int64> = 3...14
    /// The versions of ONNX's default operator set that are understood.
    static let opsets: ClosedRange<Int64> = 7...26

    /// What is left of a file without its weights, in bytes.
    static let maximumStructureByteCount = 256 << 20
    /// Messages of any kind, and fields of any kind, in one file.
    static let maximumMessageCount = 1_000_000
    static let maximumFieldCount = 4_000_000

    static let maximumNodeCount = Graph.maximumNodeCount
    static let maximumInitializerCount = 100_000
    /// Initializers may be listed among the inputs.
    static let maximumInputCount = maximumInitializerCount + maximumPortCount
    /// Inputs that are no initializers; outputs.
    static let maximumPortCount = 4_096
    static let maximumNodeValueCount = 10_000
    static let maximumAttributeCount = 128
    static let maximumRank = 64
    static let maximumOperatorSetCount = 256
    static let maximumFunctionCount = 10_000
    /// How many functions may call one another.
    static let maximumCallDepth = 32
    /// What all sparse tensors together may take when they are dense, in bytes.
    static let maximumDenseByteCount = 1 << 30
    static let maximumExternalEntryCount = 16
    /// Names of anything, in UTF-8.
    static let maximumNameByteCount = 4_096
    /// A string in an attribute.
    static let maximumTextByteCount = 1 << 20
    /// Files beside the model that hold weights; each is one mapping.
    static let maximumExternalFileCount = 1_024

    /// The most bytes that a protobuf message, and so a model file that is written, may have.
    static let maximumWrittenByteCount = Int(Int32.max)
}
