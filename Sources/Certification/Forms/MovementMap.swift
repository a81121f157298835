import Graph
import Tensors

/// Where each element of an operator's output comes from, found by sending the elements' own positions through it.
struct MovementMap {
    private let sources: [Int]
    private let input: [Int]
    private let output: [Int]

    /// The most elements that are followed.
    static let maximumElementCount = 1 << 22

    /// `nil` when a shape is not known or too large, or the operator does not only move elements.
    init?(_ application: Application, output: [Int]?) {
        guard case .form(let form) = application.arguments[0], let input = form.core.extents, let output
        else { return nil }
        if case .broadcast = application.passage {
            self.init(broadcasting: input, to: output)
            return
        }
        self.init(application.node, application.output, application.arguments, input, output)
    }

    private init?(broadcasting input: [Int], to output: [Int]) {
        guard let count = try? Field.boundedCount(of: output), count > 0, input.count <= output.count else {
            return nil
        }
        let extents = [Int](repeating: 1, count: output.count - input.count) + input
        guard zip(extents, output).allSatisfy({ $0 == $1 || $0 == 1 }) else { return nil }
        sources = Field.positions(of: extents, in: output)
        self.input = input
        self.output = output
    }

    init?(
        _ node: Node, _ position: Int, _ arguments: [Application.Argument], _ input: [Int], _ output: [Int]
    ) {
        guard let shape = try? Shape(input), let target = try? Shape(output),
            (1...Self.maximumElementCount).contains(shape.count),
            (1...Self.maximumElementCount).contains(target.count)
        else { return nil }
        var operands: [ExactTensor?] = []
        for (index, argument) in arguments.enumerated() {
            switch argument {
            case .form where index == 0:
                let positions = (0..<shape.count).map(Double.init)
                operands.append(ExactTensor(reals: positions, shape: shape, elementType: .float64))
            case .constant(let tensor): operands.append(ExactTensor(tensor))
            // The shape that a Reshape was given is known by what it made.
            case .form where node.operation is Reshape:
                operands.append(ExactTensor(Tensor(output.map(Int64.init))))
            case .absent: operands.append(nil)
            default: return nil
            }
        }
        guard let results = try? node.operation.evaluate(operands, outputCount: node.outputs.count),
            position < results.count, results[position].shape == target,
            let reals = results[position].reals
        else { return nil }
        sources = reals.map { Int($0) }
        self.input = input
        self.output = output
    }

    /// Numbers of the input as numbers of the output.
    func pushed(_ field: Field) -> Field {
        let positions = field.positions(in: input)
        return Field(compressing: sources.map { field.balls[positions[$0]] }, extents: output)
    }

    /// Whether an input element is nowhere in the output.
    var leavesOut: Bool { needed(nil).contains(false) }

    /// Numbers of the output as numbers of the input; `nil` when one input element would need two. Elements that the
    /// operator leaves out get what `leftOut` says, or 1.
    func pulledBack(_ field: Field, _ leftOut: LeftOutScale) -> Field? {
        let positions = field.positions(in: output)
        var numbers = [Ball?](repeating: nil, count: input.reduce(1, *))
        for (index, source) in sources.enumerated() {
            let number = field.balls[positions[index]]
            if let other = numbers[source], other != number { return nil }
            numbers[source] = number
        }
        if leftOut == .one { numbers = numbers.map { $0 ?? .one } }
        return Field(compressing: numbers, extents: input)
    }

    /// Which elements of the input count when these of the output do; `nil`: all.
    func needed(_ elements: [Bool]?) -> [Bool] {
        var needed = [Bool](repeating: false, count: input.reduce(1, *))
        for (index, source) in sources.enumerated() where elements?[index] ?? true { needed[source] = true }
        return needed
    }
}
