import CLinux
import Glibc
internal import Logging

/// One thread's loop: waits for events, messages and deadlines, and advances the connections they concern.
///
/// Everything in it is touched by its own thread alone once `run` has begun; the mailbox is the way in.
final class EventLoop: @unchecked Sendable {
    let mailbox: Mailbox
    private let shared: ServerShared
    private let epoll: Epoll
    private let date: DateCache
    private let scratch: UnsafeMutableRawBufferPointer
    private var acceptor: Acceptor?
    /// By descriptor: the system hands out the lowest that is free.
    private var connections: [Connection?] = []
    private var connectionCount = 0
    private var nextNumber: UInt32 = 0
    private var ready: [Connection] = []
    /// No connection's deadline is earlier.
    private var nextDeadline = MonotonicTime.never
    private var drainDeadline: MonotonicTime?

    /// One read's worth. Large enough that a body of megabytes takes few system calls.
    private static let scratchByteCount = 256 << 10
    /// Deadlines are kept to this grain, so that many of them take one turn.
    private static let deadlineGrainMilliseconds: UInt64 = 10

    /// The numbers that no connection has.
    private static let mailboxNumber: UInt32 = 0
    private static let listenerNumber: UInt32 = 1
    private static let firstConnectionNumber: UInt32 = 2

    init(shared: ServerShared) throws(ServerError) {
        self.shared = shared
        mailbox = try Mailbox()
        epoll = try Epoll()
        date = DateCache(clock: shared.clock)
        scratch = .allocate(byteCount: Self.scratchByteCount, alignment: 64)
        nextNumber = Self.firstConnectionNumber
        let code = epoll.add(
            Registration(descriptor: mailbox.descriptor, number: Self.mailboxNumber), .readable)
        guard code == 0 else { throw .systemCall(name: "epoll_ctl", errno: code) }
    }

    deinit { scratch.deallocate() }

    /// Before `run`: this loop accepts for all of them.
    func becomeAcceptor(of listener: Listener, for mailboxes: [Mailbox]) {
        let registration = Registration(descriptor: listener.descriptor, number: Self.listenerNumber)
        acceptor = Acceptor(
            listener: listener, registration: registration, shared: shared, mailboxes: mailboxes)
    }

    /// Runs until a drain has ended.
    func run() {
        clinux_block_signals()
        acceptor?.acceptConnections(epoll, now: shared.clock.now())
        while true {
            let listenerHasEvent = waitForEvents()
            let now = shared.clock.now()
            date.update()
            // Read before the mailbox: every connection handed over by then is in it.
            let isAcceptingDone = shared.isAcceptingDone.load(ordering: .acquiring)
            for message in mailbox.takeAll() { handle(message, now) }
            if listenerHasEvent || acceptor.map({ $0.deadline <= now }) == true {
                acceptor?.acceptConnections(epoll, now: now)
            }
            if nextDeadline <= now { expireDeadlines(now) }
            advanceReady(now)
            if let drainDeadline {
                if drainDeadline <= now { return end() }
                if isAcceptingDone, connectionCount == 0 { return end() }
            }
        }
    }

    // MARK: - Waiting

    /// Returns whether connections wait to be accepted.
    private func waitForEvents() -> Bool {
        var listenerHasEvent = false
        let mayWait = ready.isEmpty && mailbox.prepareToSleep()
        epoll.wait(milliseconds: mayWait ? millisecondsToDeadline() : 0) { registration, readiness in
            switch registration.number {
            case Self.mailboxNumber: mailbox.clearWakeUp()
            case Self.listenerNumber: listenerHasEvent = true
            default:
                guard let connection = connection(registration) else { return }
                connection.note(readiness)
                makeReady(connection)
            }
        }
        return listenerHasEvent
    }

    private func millisecondsToDeadline() -> Int32 {
        var earliest = min(nextDeadline, acceptor?.deadline ?? .never)
        if let drainDeadline { earliest = min(earliest, drainDeadline) }
        guard earliest != .never else { return -1 }
        let now = shared.clock.now()
        guard earliest > now else { return 0 }
        let milliseconds = (earliest.nanoseconds - now.nanoseconds) / 1_000_000
        return Int32(clamping: milliseconds + Self.deadlineGrainMilliseconds)
    }

    // MARK: - Messages

    private func handle(_ message: LoopMessage, _ now: MonotonicTime) {
        switch message {
        case .response(let address, let response): complete(address, response, now)
        case .unanswered(let address): complete(address, nil, now)
        case .adopt(let descriptor): adopt(descriptor, now)
        case .countersChanged: acceptor?.acceptConnections(epoll, now: now)
        case .drain(let deadline): drain(deadline, now)
        }
    }

    private func complete(_ address: ExchangeAddress, _ response: ServerResponse?, _ now: MonotonicTime) {
        guard let connection = connection(address.connection) else { return }
        connection.complete(exchange: address.exchange, with: response, now: now)
        makeReady(connection)
    }

    private func adopt(_ descriptor: Int32, _ now: MonotonicTime) {
        let registration = Registration(descriptor: descriptor, number: nextNumber)
        nextNumber = nextNumber == .max ? Self.firstConnectionNumber : nextNumber + 1
        guard epoll.add(registration, .connection) == 0 else {
            shared.logger.warning("epoll takes no more connections")
            close(descriptor)
            return countClosed()
        }
        let stream = shared.tls?.makeStream(descriptor: descriptor)
        if shared.tls != nil, stream == nil {
            close(descriptor)
            return countClosed()
        }
        let context = ConnectionContext(
            registration: registration, scheme: shared.tls == nil ? "http" : "https", limits: shared.limits,
            handler: shared.handler, mailbox: mailbox, bodyBudget: shared.bodyBudget, date: date,
            logger: shared.logger)
        let connection = Connection(
            context: context, transport: Transport(descriptor: descriptor, tls: stream), now: now)
        let index = Int(descriptor)
        while connections.count <= index { connections.append(nil) }
        connections[index] = connection
        connectionCount += 1
        if drainDeadline != nil { connection.drain(now: now) }
        nextDeadline = min(nextDeadline, connection.deadline)
    }

    private func drain(_ deadline: MonotonicTime, _ now: MonotonicTime) {
        drainDeadline = min(deadline, drainDeadline ?? .never)
        acceptor?.drain(epoll, now: now)
        for case let connection? in connections {
            connection.drain(now: now)
            makeReady(connection)
        }
    }

    // MARK: - Connections

    private func connection(_ registration: Registration) -> Connection? {
        let index = Int(registration.descriptor)
        guard connections.indices.contains(index), let connection = connections[index],
            connection.registration == registration
        else { return nil }
        return connection
    }

    private func makeReady(_ connection: Connection) {
        guard !connection.isReady else { return }
        connection.isReady = true
        ready.append(connection)
    }

    private func advanceReady(_ now: MonotonicTime) {
        guard !ready.isEmpty else { return }
        var turn: [Connection] = []
        swap(&turn, &ready)
        for connection in turn {
            connection.isReady = false
            connection.advance(now: now, scratch: scratch)
            if connection.isClosed {
                remove(connection)
            } else {
                nextDeadline = min(nextDeadline, connection.deadline)
                if connection.hasMoreInput { makeReady(connection) }
            }
        }
    }

    private func expireDeadlines(_ now: MonotonicTime) {
        nextDeadline = .never
        for case let connection? in connections {
            if connection.deadline <= now {
                connection.deadlineReached(now: now)
                makeReady(connection)
            } else {
                nextDeadline = min(nextDeadline, connection.deadline)
            }
        }
    }

    private func remove(_ connection: Connection) {
        let index = Int(connection.registration.descriptor)
        guard connections[index] === connection else { return }
        connections[index] = nil
        connectionCount -= 1
        countClosed()
    }

    private func countClosed() {
        shared.openConnections.subtract(1, ordering: .sequentiallyConsistent)
        if shared.isAcceptorPaused.exchange(false, ordering: .sequentiallyConsistent) {
            pausedAcceptor?.post(.countersChanged)
        }
    }

    /// The mailbox of the loop that accepts.
    var pausedAcceptor: Mailbox?

    /// The drain is over or its time is up: closes whatever is left.
    private func end() {
        acceptor?.close()
        for case let connection? in connections {
            connection.close()
            remove(connection)
        }
        for case .adopt(let descriptor) in mailbox.close() {
            close(descriptor)
            countClosed()
        }
    }
}
