import Glibc

/// Why a server could not be made.
package enum ServerError: Error, Equatable, CustomStringConvertible {
    case invalidHost(String)
    case invalidPort(Int)
    case invalidLoopCount(Int)
    case invalidLimit(name: String, value: String)
    case cannotListen(host: String, port: Int, errno: Int32)
    case systemCall(name: String, errno: Int32)
    case unusableCertificate(path: String, reason: String)
    case unusableKey(path: String, reason: String)
    case keyDoesNotMatchCertificate(keyPath: String, certificatePath: String)
    case tls(reason: String)

    package var description: String {
        switch self {
        case .invalidHost(let host):
            "host '\(host)' is not an IPv4 or IPv6 address nor localhost"
        case .invalidPort(let port):
            "port \(port) is outside 0...65535"
        case .invalidLoopCount(let count):
            "loop count \(count) is outside 1...\(Server.maximumLoopCount)"
        case .invalidLimit(let name, let value):
            "limit \(name) cannot be \(value)"
        case .cannotListen(let host, let port, let errno):
            "cannot listen on \(host) port \(port): \(Self.text(errno))"
        case .systemCall(let name, let errno):
            "\(name) failed: \(Self.text(errno))"
        case .unusableCertificate(let path, let reason):
            "certificate '\(path)' cannot be used: \(reason)"
        case .unusableKey(let path, let reason):
            "private key '\(path)' cannot be used: \(reason)"
        case .keyDoesNotMatchCertificate(let keyPath, let certificatePath):
            "private key '\(keyPath)' does not belong to certificate '\(certificatePath)'"
        case .tls(let reason):
            "TLS cannot be set up: \(reason)"
        }
    }

    private static func text(_ errno: Int32) -> String { String(cString: strerror(errno)) }
}
