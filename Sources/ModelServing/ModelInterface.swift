import Graph
import Tensors

/// What a model takes and gives: names, element types and shapes.
package struct ModelInterface: Sendable {
    package struct Port: Sendable, Equatable {
        package let name: String
        package let elementType: ElementType
        /// `nil` for an extent that a caller chooses.
        package let dimensions: [Int?]
        /// Inputs: whether the model has a value of its own when a caller gives none.
        package let isOptional: Bool

        package init(name: String, elementType: ElementType, dimensions: [Int?], isOptional: Bool = false) {
            self.name = name
            self.elementType = elementType
            self.dimensions = dimensions
            self.isOptional = isOptional
        }

        /// The dimensions as the protocol writes them: -1 for an open one.
        package var protocolShape: [Int] { dimensions.map { $0 ?? -1 } }
    }

    package let inputs: [Port]
    package let outputs: [Port]
    private let inputIndices: [String: Int]
    private let outputIndices: [String: Int]

    package init(inputs: [Port], outputs: [Port]) {
        self.inputs = inputs
        self.outputs = outputs
        inputIndices = Dictionary(inputs.enumerated().map { ($1.name, $0) }) { first, _ in first }
        outputIndices = Dictionary(outputs.enumerated().map { ($1.name, $0) }) { first, _ in first }
    }

    /// The interface that a graph declares, completed by what follows from its nodes.
    ///
    /// Throws `RepositoryError.interface` for a port whose element type or rank stays unknown.
    package init(_ graph: Graph) throws(RepositoryError) {
        let values: [String: ValueInfo]
        do {
            values = try graph.inferValues()
        } catch {
            throw .graph(error)
        }
        var inputs: [Port] = []
        for port in graph.inputs { inputs.append(try Self.port(port.name, port.info, nil)) }
        for name in graph.overridableInputs.sorted() {
            guard let tensor = graph.constants[name], !inputs.contains(where: { $0.name == name }) else {
                continue
            }
            let dimensions = tensor.shape.dimensions.map(Optional.some)
            inputs.append(
                Port(name: name, elementType: tensor.elementType, dimensions: dimensions, isOptional: true))
        }
        var outputs: [Port] = []
        for port in graph.outputs { outputs.append(try Self.port(port.name, port.info, values[port.name])) }
        self.init(inputs: inputs, outputs: outputs)
    }

    package func input(_ name: String) -> Port? { inputIndices[name].map { inputs[$0] } }

    package func output(_ name: String) -> Port? { outputIndices[name].map { outputs[$0] } }

    private static func port(
        _ name: String, _ declared: ValueInfo, _ inferred: ValueInfo?
    ) throws(RepositoryError) -> Port {
        guard let type = declared.elementType ?? inferred?.elementType else {
            throw .interface(name: name, reason: "has no known element type")
        }
        guard let dimensions = declared.dimensions ?? inferred?.dimensions else {
            throw .interface(name: name, reason: "has no known rank")
        }
        // A name that the exporter left open may be known from the nodes: a fixed extent tells a caller more.
        let extents = dimensions.enumerated().map { axis, dimension -> Int? in
            if let value = dimension.value { return value }
            guard let found = inferred?.dimensions, found.count == dimensions.count else { return nil }
            return found[axis].value
        }
        return Port(name: name, elementType: type, dimensions: extents)
    }
}

extension ModelInterface {
    /// The shapes of all inputs that a caller must give, for so many items where axis 0 is open; `nil` where another is.
    package func shapes(itemCount: Int) -> [String: Shape]? {
        var shapes: [String: Shape] = [:]
        for port in inputs where !port.isOptional {
            guard port.dimensions.dropFirst().allSatisfy({ $0 != nil }),
                let shape = try? Shape(port.dimensions.map { $0 ?? itemCount })
            else { return nil }
            shapes[port.name] = shape
        }
        return shapes
    }

    /// The input that `name` stands for, once its type and shape are what the model expects.
    package func checkedInput(
        _ name: String, datatype: String, shape: [Int], model: String
    ) throws(ServingError) -> Port {
        guard let port = input(name) else { throw .unexpectedInput(model: model, input: name) }
        guard port.elementType.datatype == datatype else {
            throw .datatype(
                model: model, input: name, expected: port.elementType.datatype, actual: datatype)
        }
        let fits =
            shape.count == port.dimensions.count
            && zip(shape, port.dimensions).allSatisfy { actual, expected in
                expected.map { $0 == actual } ?? (actual >= 0)
            }
        guard fits else {
            throw .shape(model: model, input: name, expected: port.protocolShape, actual: shape)
        }
        return port
    }

    /// Throws unless every input that the model has no value for is among `names`.
    package func checkComplete(_ names: some Collection<String>, model: String) throws(ServingError) {
        let required = inputs.filter { !$0.isOptional }
        guard let missing = required.first(where: { !names.contains($0.name) }) else { return }
        if names.isEmpty { throw .inputCount(model: model, expected: required.count, actual: 0) }
        throw .missingInput(model: model, input: missing.name)
    }
}
