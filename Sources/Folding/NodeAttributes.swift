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

extension Node {
    /// What an affine is called in a reason: the operators that it was recognised from.
    var affineDescription: String {
        sources.isEmpty ? "BatchNormalization" : sources.map(\.type).joined(separator: " → ")
    }

    /// Whether an affine stands for arithmetic alone, whose nodes can take its place again.
    var isRecognisedArithmetic: Bool {
        operation is Affine && !sources.isEmpty && !sources.contains { $0.type == "BatchNormalization" }
    }

    /// A node of an edit; an operator that refuses its attributes is a reason not to fold.
    static func made(
        name: String, domain: String = "", type: String, attributes: [String: Attribute] = [:], opset: Int,
        inputs: [String?], outputs: [String?], sources: [Node] = []
    ) throws(FoldRefusal) -> Node {
        do {
            return try Node(
                name: name, domain: domain, type: type, attributes: attributes, opset: opset, inputs: inputs,
                outputs: outputs, sources: sources)
        } catch {
            throw FoldRefusal("the folded node is not valid: \(error)", blockedBy: name)
        }
    }
}
