import Tensors

extension Graph {
    /// What is known of every value: the graph's interface, its constants and what follows from them.
    ///
    /// `inputShapes` narrows the inputs' declared dimensions to those of one run. Throws the operators' errors, each at
    /// its node.
    package func inferValues(inputShapes: [String: Shape] = [:]) throws(GraphError) -> [String: ValueInfo] {
        var given: [String: ValueInfo] = [:]
        for port in inputs {
            var info = port.info
            if let shape = inputShapes[port.name] { info.dimensions = shape.dimensions.map(Dimension.known) }
            given[port.name] = info
        }
        return try inferValues(inputs: given)
    }

    /// What is known of every value when this is known of the inputs.
    func inferValues(inputs given: [String: ValueInfo]) throws(GraphError) -> [String: ValueInfo] {
        var values: [String: ValueInfo] = [:]
        values.reserveCapacity(constants.count + inputs.count + nodes.count)
        for (name, tensor) in constants {
            values[name] =
                overridableInputs.contains(name)
                ? ValueInfo(tensor.elementType, tensor.shape.dimensions.map(Dimension.known))
                : ValueInfo(constant: tensor)
        }
        for port in inputs { values[port.name] = given[port.name] ?? port.info }
        for node in nodes {
            let arguments = node.inputs.map { name in name.flatMap { values[$0] } }
            do {
                let results = try node.operation.inferOutputsAndElements(
                    arguments, outputCount: node.outputs.count)
                for case (let name?, let result) in zip(node.outputs, results) { values[name] = result }
            } catch {
                throw error.at(node)
            }
        }
        return values
    }
}
