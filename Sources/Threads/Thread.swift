import CLinux
import Glibc

/// A POSIX thread that runs one closure.
package struct Thread: @unchecked Sendable {
    private let identifier: pthread_t

    /// Starts a thread called `name` (Linux keeps the first 15 bytes).
    ///
    /// Traps when the system has no more threads: nothing could be served then.
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Body(run: body)).toOpaque()
        var identifier = pthread_t()
        let status = pthread_create(
            &identifier, nil,
            { context in
                Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context)
        precondition(status == 0, "pthread_create failed with errno \(status)")
        _ = clinux_set_thread_name(identifier, String(decoding: name.utf8.prefix(15), as: UTF8.self))
        self.identifier = identifier
    }

    /// Waits until the closure has returned. Call it once at most.
    package func join() { pthread_join(identifier, nil) }

    /// Lets the system have back what the thread holds once it ends, where nobody joins it. Call it once at most.
    package func detach() { pthread_detach(identifier) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
