import COpenSSL
import ModelServing

/// The bearer tokens of a file, each as its SHA-256 with the scopes that it opens.
///
/// A line is `TOKEN SCOPE[,SCOPE…]`; empty lines and those that begin with `#` say nothing.
package struct TokenTable: Sendable {
    private typealias Digest = [UInt8]

    private let entries: [(digest: Digest, scopes: AccessScopes)]

    package static let maximumByteCount = 1 << 20
    package static let maximumTokenCount = 1000
    /// Shorter tokens can be guessed.
    package static let minimumTokenByteCount = 16
    package static let maximumTokenByteCount = 512

    /// What is wrong with a file; never with a token in it.
    package struct Invalid: Error, Equatable {
        package let reason: String
    }

    package init(_ text: [UInt8]) throws(Invalid) {
        guard text.count <= Self.maximumByteCount else {
            throw Invalid(reason: "\(text.count) bytes, at most \(Self.maximumByteCount) are read")
        }
        var entries: [(digest: Digest, scopes: AccessScopes)] = []
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let words = line.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == UInt8(ascii: ",") }
            guard let token = words.first, token.first != UInt8(ascii: "#") else { continue }
            let place = "line \(index + 1)"
            guard (Self.minimumTokenByteCount...Self.maximumTokenByteCount).contains(token.count) else {
                throw Invalid(
                    reason: "\(place): the token has \(token.count) characters, expected "
                        + "\(Self.minimumTokenByteCount) to \(Self.maximumTokenByteCount)")
            }
            guard token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw Invalid(reason: "\(place): the token has characters other than visible ASCII")
            }
            var scopes: AccessScopes = []
            for word in words.dropFirst() {
                let name = String(decoding: word, as: UTF8.self)
                guard let scope = AccessScopes(name: name) else {
                    let known = AccessScopes.names.map(\.name)
                    throw Invalid(
                        reason: "\(place): unknown scope '\(name.prefix(40))'"
                            + NearestName.hint(for: name, among: known))
                }
                scopes.formUnion(scope)
            }
            guard !scopes.isEmpty else { throw Invalid(reason: "\(place): the token has no scope") }
            guard entries.count < Self.maximumTokenCount else {
                throw Invalid(reason: "more than \(Self.maximumTokenCount) tokens")
            }
            entries.append((SHA256(Array(token)).bytes, scopes))
        }
        guard !entries.isEmpty else { throw Invalid(reason: "holds no token") }
        self.entries = entries
    }

    /// What a token opens; `nil` for one that is not in the file.
    ///
    /// Looks at every entry whole, so that the time tells nothing of how much of a token was right.
    package func scopes(of token: some Collection<UInt8>) -> AccessScopes? {
        guard token.count <= Self.maximumTokenByteCount else { return nil }
        let digest = SHA256(Array(token)).bytes
        var found: AccessScopes?
        for entry in entries where CRYPTO_memcmp(entry.digest, digest, digest.count) == 0 {
            found = (found ?? []).union(entry.scopes)
        }
        return found
    }
}
