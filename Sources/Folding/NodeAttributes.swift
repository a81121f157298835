import Graph

/// Attributes as the model states them, or their defaults; the operators have checked their kinds.
extension Node {
    /// An attribute as the model states it, or its default.
    func integerAttribute(_ name: String, default value: Int) -> Int {
        if case .integer(let stated) = attributes[name] { Int(stated) } else { value }
    }

    func realAttribute(_ name: String, default value: Float) -> Float {
        if case .real(let stated) = attributes[name] { stated } else { value }
    }

    func stringAttribute(_ name: String) -> String? {
        if case .string(let stated) = attributes[name] { stated } else { nil }
    }

    /// One element of a list; the default when the list is absent or shorter.
    func integersAttribute(_ name: String, at index: Int, default value: Int) -> Int {
        guard case .integers(let stated) = attributes[name], index < stated.count else { return value }
        return Int(stated[index])
    }
}
