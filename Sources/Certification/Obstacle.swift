/// Why a piece cannot be proven.
package struct Obstacle: Error, Sendable, Equatable, CustomStringConvertible {
    package let reason: String
    /// The node where it was met.
    package var node: String?

    package init(_ reason: String, node: String? = nil) {
        self.reason = reason
        self.node = node
    }

    package var description: String { node.map { "\(reason) (node '\($0)')" } ?? reason }
}
