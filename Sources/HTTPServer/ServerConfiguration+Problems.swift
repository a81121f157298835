import Glibc

extension ServerConfiguration {
    /// Everything for which a server with this configuration could not start here and now. The port is bound and let go.
    package var problems: [ServerError] {
        var problems: [ServerError] = []
        let note = { (check: () throws(ServerError) -> Void) in
            do throws(ServerError) {
                try check()
            } catch {
                problems.append(error)
            }
        }
        note { () throws(ServerError) in
            guard (1...Server.maximumLoopCount).contains(loopCount) else {
                throw .invalidLoopCount(loopCount)
            }
        }
        note { () throws(ServerError) in try limits.check() }
        note { () throws(ServerError) in
            let listener = try Listener(host: host, port: port)
            close(listener.descriptor)
        }
        if let tls {
            // Both files are looked at: OpenSSL stops at the first.
            var areReadable = true
            for (path, isKey) in [(tls.certificatePath, false), (tls.keyPath, true)]
            where access(path, R_OK) != 0 {
                let reason = String(cString: strerror(errno))
                areReadable = false
                problems.append(
                    isKey
                        ? .unusableKey(path: path, reason: reason)
                        : .unusableCertificate(path: path, reason: reason))
            }
            if areReadable { note { () throws(ServerError) in _ = try TLSContext(tls) } }
        }
        return problems
    }
}
