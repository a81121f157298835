import Tensors

extension Operator {
    /// `inferOutputs`, and the elements of outputs that follow from small inputs all of whose elements are known: the
    /// arithmetic with which graphs compute shapes.
    ///
    /// Throws what `inferOutputs` throws, and what the evaluation throws for elements that are the same in every run.
    package func inferOutputsAndElements(
        _ inputs: [ValueInfo?], outputCount: Int
    ) throws(GraphError) -> [ValueInfo] {
        let results = try inferOutputs(inputs, outputCount: outputCount)
        // Small inputs may still mean many iterations.
        if controlFlow != nil { return results }
        var arguments: [ExactTensor?] = []
        for input in inputs {
            guard let input else {
                arguments.append(nil)
                continue
            }
            guard let contents = input.contents else { return results }
            arguments.append(contents)
        }
        for result in results {
            guard let shape = result.shape, shape.allSatisfy({ $0 <= ValueInfo.maximumFollowedElements }),
                shape.reduce(1, { min($0 * $1, Int(Int32.max)) }) <= ValueInfo.maximumFollowedElements
            else { return results }
        }
        return try evaluate(arguments, outputCount: outputCount).map { ValueInfo(constant: $0.tensor) }
    }
}

extension ValueInfo {
    /// The value itself, when it is small and known.
    fileprivate var contents: ExactTensor? {
        if let constant {
            return constant.shape.count <= Self.maximumFollowedElements ? ExactTensor(constant) : nil
        }
        guard let elementType, elementType.isInteger, let shape, shape.count <= 1,
            let known = knownElements, known.count == shape.reduce(1, *), let checked = try? Shape(shape)
        else { return nil }
        return ExactTensor(integers: known.map { Int64($0) }, shape: checked, elementType: elementType)
    }
}
