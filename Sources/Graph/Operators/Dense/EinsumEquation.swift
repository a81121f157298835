/// The labels of an Einsum: `ij,jk->ik`, spaces left out.
struct EinsumEquation: Sendable {
    /// The most characters of an equation; there are but 52 labels.
    static let maximumLength = 4096

    /// A letter's ASCII code, or an axis that an ellipsis stands for.
    typealias Label = Int

    struct Term: Sendable {
        fileprivate(set) var before: [Label] = []
        fileprivate(set) var after: [Label] = []
        fileprivate(set) var hasEllipsis = false

        var letters: [Label] { before + after }

        /// The labels of all axes of an operand, of which the ellipsis stands for `ellipsisRank`.
        func labels(ellipsisRank: Int) -> [Label] {
            before
                + (hasEllipsis
                    ? (0..<ellipsisRank).reversed().map { EinsumEquation.firstEllipsisLabel + $0 } : [])
                + after
        }
    }

    /// The label of the last axis of an ellipsis; those before it count up, so that axes are aligned at the end.
    private static let firstEllipsisLabel: Label = 256

    let inputs: [Term]
    let output: Term

    /// Throws `GraphError.attribute` for what is no equation.
    init(_ text: String) throws(GraphError) {
        func error(_ reason: String) -> GraphError {
            .attribute(Einsum.type, name: "equation", reason: reason)
        }
        guard text.utf8.count <= Self.maximumLength else {
            throw error("has \(text.utf8.count) characters, at most \(Self.maximumLength) are read")
        }
        let sides = Array(text.utf8.filter { $0 != UInt8(ascii: " ") }).split(
            separating: [UInt8(ascii: "-"), UInt8(ascii: ">")])
        guard sides.count <= 2 else { throw error("'\(text)' has more than one arrow") }
        var inputs: [Term] = []
        for part in sides[0].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard let term = Self.term(part) else { throw error("'\(text)' has a term that is no labels") }
            inputs.append(term)
        }
        self.inputs = inputs
        guard sides.count == 2 else {
            output = Self.implicitOutput(inputs)
            return
        }
        guard let output = Self.term(sides[1][...]) else {
            throw error("'\(text)' has a term that is no labels")
        }
        let known = Set(inputs.flatMap(\.letters))
        guard output.letters.allSatisfy({ known.contains($0) }) else {
            throw error("'\(text)' has an output label that no input has")
        }
        guard Set(output.letters).count == output.letters.count else {
            throw error("'\(text)' names an output label twice")
        }
        self.output = output
    }

    private static func term(_ text: ArraySlice<UInt8>) -> Term? {
        var term = Term()
        var rest = text
        while let character = rest.popFirst() {
            switch character {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                if term.hasEllipsis {
                    term.after.append(Int(character))
                } else {
                    term.before.append(Int(character))
                }
            case UInt8(ascii: "."):
                guard !term.hasEllipsis, rest.popFirst() == character, rest.popFirst() == character else {
                    return nil
                }
                term.hasEllipsis = true
            default: return nil
            }
        }
        return term
    }

    /// The ellipsis, then the letters that occur once, in the order of their ASCII codes.
    private static func implicitOutput(_ inputs: [Term]) -> Term {
        var counts: [Label: Int] = [:]
        for label in inputs.flatMap(\.letters) { counts[label, default: 0] += 1 }
        var output = Term()
        output.hasEllipsis = inputs.contains(where: \.hasEllipsis)
        output.after = counts.filter { $0.value == 1 }.keys.sorted()
        return output
    }
}

extension [UInt8] {
    /// The parts between occurrences of `separator`.
    fileprivate func split(separating separator: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = [[]]
        var index = 0
        while index < count {
            if self[index...].starts(with: separator) {
                parts.append([])
                index += separator.count
            } else {
                parts[parts.count - 1].append(self[index])
                index += 1
            }
        }
        return parts
    }
}
