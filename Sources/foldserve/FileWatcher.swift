import ModelServing
import Threads

/// Looks every second whether one of a few files has changed, and tells on a thread of its own.
///
/// Two looks must agree before it tells: files that belong together are seldom written at once.
final class FileWatcher: Sendable {
    private struct State {
        var isLookDue = false
        var isStopping = false
        var thread: Thread?
    }

    private struct Group {
        let paths: [String]
        let reload: @Sendable () -> Void
        /// What was told of, and what was seen last.
        var known: [FileIdentity?]
        var seen: [FileIdentity?]

        static func look(_ paths: [String]) -> [FileIdentity?] { paths.map { FileIdentity(path: $0) } }
    }

    private static let periodNanoseconds: UInt64 = 1_000_000_000

    private let groups: [(paths: [String], reload: @Sendable () -> Void)]
    private let state = Lock(State())

    /// `reload` runs when any of its `paths` leads to another file than before.
    init(_ groups: [(paths: [String], reload: @Sendable () -> Void)]) {
        self.groups = groups
    }

    func start() {
        guard !groups.isEmpty else { return }
        // What is there now has been read before: whatever comes after it is a change.
        let groups = groups.map { paths, reload in
            Group(paths: paths, reload: reload, known: Group.look(paths), seen: Group.look(paths))
        }
        let thread = Thread(name: "file-watcher") { [self] in watch(groups) }
        state.withLock { $0.thread = thread }
    }

    /// Reloads everything now.
    func lookNow() {
        state.withLock { $0.isLookDue = true }
        state.notifyAll()
    }

    func stop() {
        let thread = state.withLock { state in
            state.isStopping = true
            defer { state.thread = nil }
            return state.thread
        }
        state.notifyAll()
        thread?.join()
    }

    private func watch(_ initial: [Group]) {
        var groups = initial
        while true {
            // `true` to reload all, `false` to stop, `nil` when a period has passed.
            let wish = state.wait(nanoseconds: Self.periodNanoseconds) { state -> Bool? in
                if state.isStopping { return false }
                guard state.isLookDue else { return nil }
                state.isLookDue = false
                return true
            }
            if wish == false { return }
            for index in groups.indices {
                let now = Group.look(groups[index].paths)
                let isSettled = now == groups[index].seen && now != groups[index].known
                groups[index].seen = now
                guard isSettled || wish == true else { continue }
                groups[index].known = now
                groups[index].reload()
            }
        }
    }
}
