import CLinux
import Glibc

/// One epoll instance; owns EINTR. Connections are registered once, edge-triggered, for both directions.
struct Epoll: ~Copyable {
    private let descriptor: Int32
    private let events: UnsafeMutableBufferPointer<epoll_event>

    static let maximumEventCount = 256

    init() throws(ServerError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw .systemCall(name: "epoll_create1", errno: errno) }
        events = .allocate(capacity: Self.maximumEventCount)
        events.initialize(repeating: epoll_event())
    }

    deinit {
        events.deallocate()
        close(descriptor)
    }

    struct Readiness: OptionSet {
        let rawValue: UInt32
        static let readable = Readiness(rawValue: EPOLLIN.rawValue)
        static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
        /// The peer will send no more.
        static let inputEnded = Readiness(rawValue: EPOLLRDHUP.rawValue)
        /// Reset, or closed in both directions.
        static let gone = Readiness(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)

        static let edgeTriggered = Readiness(rawValue: EPOLLET.rawValue)
        static let connection: Readiness = [.readable, .writable, .inputEnded, .edgeTriggered]
    }

    /// Returns 0 or the errno.
    func add(_ registration: Registration, _ interest: Readiness) -> Int32 {
        control(EPOLL_CTL_ADD, registration, interest)
    }

    /// A closed descriptor leaves by itself.
    func remove(_ registration: Registration) {
        _ = control(EPOLL_CTL_DEL, registration, [])
    }

    /// Waits up to `milliseconds` (-1: for ever) and hands out what happened. An interrupted wait is an empty one.
    func wait(milliseconds: Int32, _ body: (Registration, Readiness) -> Void) {
        let count = epoll_wait(descriptor, events.baseAddress, Int32(events.count), milliseconds)
        guard count > 0 else {
            precondition(count == 0 || errno == EINTR, "epoll_wait failed with errno \(errno)")
            return
        }
        for index in 0..<Int(count) {
            let event = events[index]
            body(Registration(packed: event.data.u64), Readiness(rawValue: event.events))
        }
    }

    private func control(_ operation: Int32, _ registration: Registration, _ interest: Readiness) -> Int32 {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = registration.packed
        return epoll_ctl(descriptor, operation, registration.descriptor, &event) == 0 ? 0 : errno
    }
}
