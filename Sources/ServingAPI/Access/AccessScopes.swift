/// What a bearer token opens. Of an endpoint: one of them is enough, and the empty set is open to all.
package struct AccessScopes: OptionSet, Sendable, CustomStringConvertible {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let predict = AccessScopes(rawValue: 1)
    package static let introspect = AccessScopes(rawValue: 2)
    package static let metrics = AccessScopes(rawValue: 4)
    package static let admin = AccessScopes(rawValue: 8)

    /// Every scope by its name in a token file.
    static let names: [(name: String, scope: AccessScopes)] = [
        ("predict", .predict), ("introspect", .introspect), ("metrics", .metrics), ("admin", .admin),
    ]

    init?(name: some StringProtocol) {
        guard let known = Self.names.first(where: { $0.name == name }) else { return nil }
        self = known.scope
    }

    package var description: String {
        Self.names.filter { contains($0.scope) }.map(\.name).joined(separator: " or ")
    }
}
