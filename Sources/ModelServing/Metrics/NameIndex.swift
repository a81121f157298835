import Threads

/// Small numbers for names that come and go: each name gets one when it is first seen, keeps it, and no other gets it.
package final class NameIndex: Sendable {
    private struct State {
        var names: [String] = []
        var numbers: [String: Int] = [:]
    }

    /// Names past this many get no number: they count together.
    package static let maximumCount = 20_000

    private let state = Lock(State())

    package init(_ names: [String] = []) { for name in names { _ = number(of: name) } }

    /// The name's number; `nil` once there are too many.
    package func number(of name: String) -> Int? {
        state.withLock { state in
            if let number = state.numbers[name] { return number }
            guard state.names.count < Self.maximumCount else { return nil }
            state.names.append(name)
            state.numbers[name] = state.names.count - 1
            return state.names.count - 1
        }
    }

    /// Every name, at the place of its number.
    package var names: [String] { state.withLock { $0.names } }
}
