/// How a test ended.
enum ConformanceOutcome: Sendable, Equatable {
    case passed
    /// By a typed error that says what is not supported; the reasons are what the README counts.
    case refused(reasons: [String])
    case failed(String)
}

struct ConformanceResult: Sendable {
    let item: ConformanceCase
    let outcome: ConformanceOutcome
    /// The sentence that a user would read, of a refusal.
    var message = ""
}
