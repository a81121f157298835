/// How much a ZIP archive may hold. The archives of model files stay far below each of these.
enum ZipLimits {
    static let maximumMemberCount = 100_000
    /// Names of members, in UTF-8.
    static let maximumNameByteCount = 4_096
    /// What may stand behind the end of central directory: the length of that comment has two bytes.
    static let maximumCommentByteCount = 65_535
    /// RFC 1951: no byte of deflated data stands for more than this many (258 bytes take two bits at least).
    static let maximumExpansion = 1_032
}
