import CLinux
import Glibc

/// One socket: moves bytes between it, TLS where configured, and the protocol. Confined to its loop's thread.
final class Connection {
    private enum Stage {
        case handshaking
        /// Plain text, until the first bytes tell HTTP/2 from HTTP/1.
        case undecided
        case open
        /// Our side is closed; what the client still sends is read away, for closing at once would reset the
        /// connection and destroy an answer that is under way (RFC 9112 §9.6).
        case lingering
        case closed
    }

    let registration: Registration
    private let context: ConnectionContext
    private let transport: Transport
    private var application: (any ApplicationProtocol)?
    private var stage: Stage
    private var stageDeadline: MonotonicTime
    private var output = OutputQueue()
    /// Since when the client has taken no byte of the output.
    private var outputStalledSince = MonotonicTime.never
    /// The first bytes, while they could still be either protocol's.
    private var undecidedBytes: [UInt8] = []
    private var isReadable = false
    private var isWritable = true
    /// Seen in an event: read to the end even after a short read.
    private var inputEndAnnounced = false
    private var hasInputEnded = false
    /// When a client that sends no more is probed; `never` once it was.
    private var probeTime: MonotonicTime?
    private var owesProbe = false
    /// Closed only in `advance`: a descriptor that is free could come back while this connection is still listed.
    private var isGone = false
    private var isDraining = false
    /// In the loop's list of connections to advance.
    var isReady = false

    /// Reads of one turn, so that no client keeps the loop from the others.
    private static let maximumReadsPerTurn = 8
    /// A client that has ended its side may have left, or may have said all that it wants to ask (`nc -N`), and is then
    /// owed its answers. Nothing tells the two apart but sending: who has left answers with a reset, and the rest of what
    /// was asked is not computed. So a client that still waits this long after its end is sent one interim answer
    /// (HTTP/1.1) or PING (HTTP/2), which no other takes notice of.
    private static let probeDelaySeconds = 0.05

    init(context: ConnectionContext, transport: Transport, now: MonotonicTime) {
        self.context = context
        registration = context.registration
        self.transport = transport
        if transport.isEncrypted {
            stage = .handshaking
            stageDeadline = now + context.limits.handshakeTimeoutSeconds
        } else {
            stage = .undecided
            stageDeadline = now + context.limits.idleTimeoutSeconds
        }
    }

    var isClosed: Bool { stage == .closed }

    /// Input is waiting for a later turn.
    var hasMoreInput: Bool {
        isReadable && wantsInput
            || stage == .open && application!.holdsRequests
                && output.byteCount < context.limits.maximumQueuedOutputByteCount
    }

    var deadline: MonotonicTime {
        var result = stageDeadline
        if let application { result = min(result, application.deadline, probeTime ?? .never) }
        if !output.isEmpty { result = min(result, outputStalledSince + context.limits.writeTimeoutSeconds) }
        return result
    }

    // MARK: - What the loop reports

    func note(_ readiness: Epoll.Readiness) {
        if readiness.contains(.inputEnded) { inputEndAnnounced = true }
        // TLS may have to write to read and read to write.
        if transport.isEncrypted || !readiness.isDisjoint(with: [.readable, .inputEnded]) {
            isReadable = true
        }
        if transport.isEncrypted || readiness.contains(.writable) { isWritable = true }
        if !readiness.isDisjoint(with: .gone) { isGone = true }
    }

    func complete(exchange: Int, with response: ServerResponse?, now: MonotonicTime) {
        application?.complete(exchange: exchange, with: response, now: now)
    }

    func drain(now: MonotonicTime) {
        isDraining = true
        application?.drain(now: now)
        if stage == .undecided || stage == .handshaking {
            stageDeadline = min(stageDeadline, now + context.limits.drainGraceSeconds)
        }
    }

    func deadlineReached(now: MonotonicTime) {
        if let probeTime, probeTime <= now {
            self.probeTime = .never
            owesProbe = true
        }
        if stageDeadline <= now {
            // Handshake too slow, nothing ever sent, or the client never closed its side.
            stage == .undecided ? linger(now) : close()
        } else if !output.isEmpty, outputStalledSince + context.limits.writeTimeoutSeconds <= now {
            context.logger.debug("closed a connection whose client does not read")
            close()
        } else if let application, application.deadline <= now {
            application.deadlineReached(now: now)
        }
    }

    /// Moves everything that can be moved now.
    func advance(now: MonotonicTime, scratch: UnsafeMutableRawBufferPointer) {
        if isGone { return close() }
        // Before an answer says `connection: close`, see whether the client has already sent more.
        if isDraining, !hasInputEnded { isReadable = true }
        if stage == .handshaking { handshake(now) }
        if stage == .undecided || stage == .open { readInput(now, scratch) }
        if inputEndAnnounced, probeTime == nil { probeTime = now + Self.probeDelaySeconds }
        if stage == .open { writeOutput(now) }
        application?.turnEnded()
        if stage == .lingering { discardInput(scratch) }
    }

    func close() {
        guard stage != .closed else { return }
        stage = .closed
        application?.abandon()
        application = nil
        transport.close()
    }

    // MARK: - Handshake

    private func handshake(_ now: MonotonicTime) {
        switch transport.handshake() {
        case .done(let negotiatesHTTP2):
            stage = .undecided
            stageDeadline =
                now + (isDraining ? context.limits.drainGraceSeconds : context.limits.idleTimeoutSeconds)
            if negotiatesHTTP2 { open(asHTTP2: true, now) }
        case .blocked: break
        case .failed(let reason):
            context.logger.debug("TLS handshake failed", metadata: ["reason": "\(reason)"])
            close()
        }
    }

    // MARK: - Input

    private var wantsInput: Bool {
        switch stage {
        case .open: application!.wantsInput && output.byteCount < context.limits.maximumQueuedOutputByteCount
        case .undecided: true
        default: false
        }
    }

    private func readInput(_ now: MonotonicTime, _ scratch: UnsafeMutableRawBufferPointer) {
        var remainingReads = Self.maximumReadsPerTurn
        while isReadable, remainingReads > 0, !hasInputEnded, wantsInput {
            remainingReads -= 1
            switch transport.read(into: scratch) {
            case .bytes(let count):
                // A short read has emptied the socket; the next byte is a new event.
                if count < scratch.count, !inputEndAnnounced, !transport.isEncrypted { isReadable = false }
                receive(
                    UnsafeBufferPointer(rebasing: scratch.assumingMemoryBound(to: UInt8.self)[..<count]), now)
            case .blocked:
                isReadable = false
            case .ended:
                isReadable = false
                hasInputEnded = true
                application?.inputEnded()
                if stage == .undecided { close() }
            case .failed:
                close()
            }
        }
    }

    private func receive(_ bytes: UnsafeBufferPointer<UInt8>, _ now: MonotonicTime) {
        if stage == .open {
            application!.receive(bytes, now: now)
            return
        }
        undecidedBytes.append(contentsOf: bytes)
        let preface = HTTP2Connection.clientPreface
        guard undecidedBytes.count >= preface.count || !preface.starts(with: undecidedBytes) else {
            stageDeadline = min(stageDeadline, now + context.limits.headerTimeoutSeconds)
            return
        }
        open(asHTTP2: undecidedBytes.starts(with: preface), now)
        undecidedBytes.withUnsafeBufferPointer { application!.receive($0, now: now) }
        undecidedBytes = []
    }

    private func open(asHTTP2: Bool, _ now: MonotonicTime) {
        stage = .open
        stageDeadline = .never
        let application: any ApplicationProtocol =
            asHTTP2
            ? HTTP2Connection(context: context, now: now) : HTTP1Connection(context: context, now: now)
        if isDraining { application.drain(now: now) }
        self.application = application
    }

    // MARK: - Output and end

    private func writeOutput(_ now: MonotonicTime) {
        let application = application!
        repeat {
            let wasEmpty = output.isEmpty
            application.produce(into: &output, now: now)
            if owesProbe {
                owesProbe = false
                application.appendProbe(to: &output, now: now)
            }
            if output.isEmpty { break }
            if wasEmpty { outputStalledSince = now }
            guard isWritable else { return }
            let before = output.byteCount
            let succeeded = output.flush { bytes, hasMore in
                switch transport.write(bytes, hasMore: hasMore) {
                case .bytes(let count): return count
                case .blocked:
                    isWritable = false
                    return 0
                case .ended, .failed: return nil
                }
            }
            guard succeeded else { return close() }
            if output.byteCount < before { outputStalledSince = now }
        } while output.isEmpty
        if output.isEmpty, application.isFinished { linger(now) }
    }

    private func linger(_ now: MonotonicTime) {
        application?.abandon()
        application = nil
        transport.endOutput()
        guard !hasInputEnded else { return close() }
        stage = .lingering
        stageDeadline = now + context.limits.lingerTimeoutSeconds
        isReadable = true
    }

    private func discardInput(_ scratch: UnsafeMutableRawBufferPointer) {
        for _ in 0..<Self.maximumReadsPerTurn {
            switch transport.readRaw(into: scratch) {
            case .bytes: continue
            case .blocked: return isReadable = false
            case .ended, .failed: return close()
            }
        }
    }
}
