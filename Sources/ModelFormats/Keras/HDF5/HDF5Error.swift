/// Where an HDF5 file is damaged, or holds what is not read, and why.
package struct HDF5Error: Error, Equatable {
    package let reason: String
    package var byteOffset: Int?
}

/// The bounds on what an HDF5 file may make the reader do.
enum HDF5Limits {
    /// Messages, links, tree entries and chunks that are read from one file, all together.
    static let maximumStepCount = 1 << 22
    static let maximumTreeDepth = 32
    static let maximumContinuationCount = 1_024
    static let maximumRank = 32
    static let maximumNameByteCount = 4_096
    /// A string in an attribute: `model_config` is one.
    static let maximumTextByteCount = 1 << 26
    /// So much text counts as one step.
    static let textBytesPerStep = 64
    static let maximumStringCount = 1 << 16
    static let maximumFilterCount = 32
    /// No byte of a deflate stream stands for more: RFC 1951 has no code of less than a bit for 258 bytes.
    static let maximumDeflateRatio = 1_032
}
