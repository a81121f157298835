import Tensors

/// Several requests' items in one set of inputs.
struct InferenceBatch {
    let inputs: [String: Tensor]
    let itemCount: Int
    /// How many items each request has, in their order.
    private let itemCounts: [Int]

    /// Copies the inputs behind each other. The jobs can be joined, and their inputs' bytes are all that it allocates.
    ///
    /// `nil`: there are too many elements for a tensor.
    init?(_ jobs: [InferenceJob]) {
        guard let first = jobs.first else { return nil }
        itemCounts = jobs.map(\.itemCount)
        itemCount = itemCounts.reduce(0, +)
        var inputs: [String: Tensor] = [:]
        for (name, tensor) in first.request.inputs {
            let dimensions = [itemCount] + tensor.shape.dimensions.dropFirst()
            guard let shape = try? Shape(dimensions) else { return nil }
            var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
            inputs[name] = Tensor(unfilled: tensor.elementType, shape: shape, memory: &memory)
            var byteOffset = 0
            for job in jobs {
                job.request.inputs[name]?.withUnsafeBytes { bytes in
                    precondition(
                        bytes.count <= memory.count - byteOffset, "an item of another shape in a batch")
                    UnsafeMutableRawBufferPointer(rebasing: memory[byteOffset...]).copyMemory(from: bytes)
                    byteOffset += bytes.count
                }
            }
            precondition(byteOffset == memory.count, "an item of another shape in a batch")
        }
        self.inputs = inputs
    }

    /// The outputs of each request: views of the joined ones. `nil` when an output does not hold the items.
    func split(_ outputs: [String: Tensor]) -> [[String: Tensor]]? {
        var results = [[String: Tensor]](repeating: [:], count: itemCounts.count)
        for (name, tensor) in outputs {
            guard tensor.shape.dimensions.first == itemCount else { return nil }
            var first = 0
            for (index, count) in itemCounts.enumerated() {
                results[index][name] = tensor.items(first..<first + count)
                first += count
            }
        }
        return results
    }
}
