import Graph
import Tensors

extension Executable {
    /// Checks a request against the graph's interface before any work.
    ///
    /// Throws for a missing or unexpected input, a wrong element type, and a shape that differs from the declared one or
    /// gives one symbol two extents.
    func validate(_ inputs: [String: Tensor]) throws(ExecutionError) {
        var extents: [String: Int] = [:]
        for port in graph.inputs {
            guard let tensor = inputs[port.name] else { throw .missingInput(name: port.name) }
            if let expected = port.info.elementType, tensor.elementType != expected {
                throw .elementType(input: port.name, expected: expected, actual: tensor.elementType)
            }
            guard let dimensions = port.info.dimensions else { continue }
            let expected = dimensions.map { dimension -> Dimension in
                if case .symbol(let name) = dimension, let extent = extents[name] { return .known(extent) }
                return dimension
            }
            let actual = tensor.shape.dimensions
            guard actual.count == expected.count,
                zip(expected, actual).allSatisfy({ $0.value == nil || $0.value == $1 })
            else { throw .shape(input: port.name, expected: expected, actual: actual) }
            for (dimension, extent) in zip(dimensions, actual) {
                guard case .symbol(let name) = dimension else { continue }
                if let other = extents.updateValue(extent, forKey: name), other != extent {
                    throw .shape(input: port.name, expected: expected, actual: actual)
                }
            }
        }
        for (name, tensor) in inputs where !graph.inputs.contains(where: { $0.name == name }) {
            guard graph.overridableInputs.contains(name), let standard = graph.constants[name] else {
                throw .unexpectedInput(name: name)
            }
            guard tensor.elementType == standard.elementType else {
                throw .elementType(input: name, expected: standard.elementType, actual: tensor.elementType)
            }
            guard tensor.shape == standard.shape else {
                throw .shape(
                    input: name, expected: standard.shape.dimensions.map(Dimension.known),
                    actual: tensor.shape.dimensions)
            }
        }
    }
}
