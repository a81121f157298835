/// Where a value of a schedule lies.
enum Location: @unchecked Sendable {
    // What constants point to is kept alive by the schedule and written by nobody.
    case constant(UnsafeRawPointer)
    /// So many bytes into the session's arena.
    case arena(Int)
    /// Where the caller's input of this number lies, or its copy in the arena.
    case input(Int)
    /// Where the output of this number shall lie, or its place in the arena.
    case output(Int)
}
