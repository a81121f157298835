import Graph
import Tensors

/// Whether two graphs take the same inputs and give the same outputs, by name, type and shape.
struct InterfaceComparison {
    private(set) var failures: [PieceFailure] = []

    init(_ before: Graph, _ after: Graph) {
        if let reason = Self.difference(before.inputs, after.inputs) { add("inputs", reason) }
        let names = [before, after].map { $0.outputs.map { Array($0.name.utf8) } }
        if names[0] != names[1] { add("outputs", "the graphs' outputs have other names") }
        guard before.overridableInputs == after.overridableInputs else {
            add("inputs", "the inputs that a caller may leave out differ")
            return
        }
        for name in before.overridableInputs.sorted() {
            guard let one = before.constants[name], let other = after.constants[name],
                one.hasSameBytes(as: other)
            else {
                add(name, "the defaults of the input differ")
                continue
            }
        }
    }

    private mutating func add(_ value: String, _ reason: String) {
        failures.append(PieceFailure(value: value, reason: reason))
    }

    private static func difference(_ before: [Graph.Port], _ after: [Graph.Port]) -> String? {
        // By their bytes: two spellings of one text are two names.
        guard before.map({ Array($0.name.utf8) }) == after.map({ Array($0.name.utf8) }) else {
            return "the graphs' inputs have other names"
        }
        for (one, other) in zip(before, after) {
            guard one.info.elementType == other.info.elementType else {
                return "the input '\(one.name)' has another element type"
            }
            guard let left = one.info.dimensions, let right = other.info.dimensions else { continue }
            guard left.count == right.count,
                zip(left, right).allSatisfy({ $0.value == nil || $1.value == nil || $0 == $1 })
            else { return "the input '\(one.name)' has another shape" }
        }
        return nil
    }
}
