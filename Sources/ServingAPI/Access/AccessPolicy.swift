import HTTPTypes
import ModelServing
import Threads

/// Who may ask what: the tokens of a file, which can be read again while requests come.
package final class AccessPolicy: Sendable {
    package let path: String
    private let tokens: Lock<TokenTable>

    /// Throws the reason why the file cannot be used.
    package init(path: String) throws(TokenTable.Invalid) {
        self.path = path
        tokens = Lock(try Self.read(path))
    }

    /// Reads the file again; one that cannot be used changes nothing.
    package func reload() throws(TokenTable.Invalid) {
        let table = try Self.read(path)
        tokens.withLock { $0 = table }
    }

    /// Throws unless the request has a token for one of `scopes`, or needs none.
    package func check(_ scopes: AccessScopes, _ fields: HTTPFields) throws(RequestError) {
        guard !scopes.isEmpty else { return }
        guard let token = Self.token(fields[.authorization]) else {
            throw .unauthenticated(reason: "this needs a bearer token")
        }
        guard let opened = tokens.withLock({ $0 }).scopes(of: token) else {
            throw .unauthenticated(reason: "the bearer token is not known")
        }
        guard !opened.isDisjoint(with: scopes) else { throw .forbidden(scopes: scopes.description) }
    }

    /// RFC 6750 §2.1: `Bearer`, in any case, and the token.
    private static func token(_ value: String?) -> Substring.UTF8View? {
        let scheme = "bearer "
        guard let value, value.utf8.count > scheme.utf8.count,
            value.prefix(scheme.count).lowercased() == scheme
        else { return nil }
        return value.dropFirst(scheme.count).drop { $0 == " " }.utf8
    }

    private static func read(_ path: String) throws(TokenTable.Invalid) -> TokenTable {
        let bytes: [UInt8]
        do {
            bytes = try SmallFile.read(path, maximumByteCount: TokenTable.maximumByteCount)
        } catch {
            throw TokenTable.Invalid(reason: "token file '\(path)': \(error.reason)")
        }
        do {
            return try TokenTable(bytes)
        } catch {
            throw TokenTable.Invalid(reason: "token file '\(path)': \(error.reason)")
        }
    }
}
