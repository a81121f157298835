import Graph

/// How much a step has to do for concrete shapes, as the published formulas count it: for the number of threads that it
/// keeps busy, and for profiles.
package struct StepWork: Sendable {
    /// Two for each multiply-add of a product or a convolution; one for an element of anything else.
    package private(set) var operationCount = 0.0
    /// Of what is read and written once: inputs, weights and outputs.
    package private(set) var byteCount = 0.0

    /// What one thread does in a nanosecond at least, where kernels are good.
    private static let operationsPerNanosecond = 50.0
    private static let cachedBytesPerNanosecond = 50.0
    private static let bytesPerNanosecond = 10.0
    /// What stays in a cache from run to run.
    private static let cachedByteCount = 8_388_608.0
    /// A function of an element costs as much as so many operations of a product.
    private static let functionCost = 16.0

    /// `values` knows the shapes of everything that the nodes read and define; what it does not know counts nothing.
    init(_ nodes: [Node], _ values: [String: ValueInfo]) {
        let defined = Set(nodes.flatMap { $0.outputs.compactMap { $0 } })
        var estimate = 0.0
        for node in nodes {
            let (operations, isProduct) = Self.operations(node, values)
            operationCount += operations
            estimate += operations * (isProduct ? 1 : Self.functionCost)
            for case let name? in node.inputs where !defined.contains(name) {
                byteCount += Self.count(values[name]) * Self.size(values[name])
            }
        }
        for case let name? in nodes.last?.outputs ?? [] {
            byteCount += Self.count(values[name]) * Self.size(values[name])
        }
        let rate =
            byteCount <= Self.cachedByteCount ? Self.cachedBytesPerNanosecond : Self.bytesPerNanosecond
        nanoseconds = max(estimate / Self.operationsPerNanosecond, byteCount / rate)
    }

    private let nanoseconds: Double

    /// So many times the work.
    func repeated(_ count: Int) -> StepWork {
        var result = self
        result.operationCount *= Double(count)
        result.byteCount *= Double(count)
        return result
    }

    /// The most threads that have so much to do each; at least 1.
    func threadLimit(_ nanosecondsPerThread: Double) -> Int {
        guard nanosecondsPerThread > 0 else { return Self.maximumThreadCount }
        return max(1, Int(min(nanoseconds / nanosecondsPerThread, Double(Self.maximumThreadCount))))
    }

    private static let maximumThreadCount = 1 << 16

    private static func operations(
        _ node: Node, _ values: [String: ValueInfo]
    ) -> (count: Double, isProduct: Bool) {
        func count(_ input: Int) -> Double { Self.count(node.input(input).flatMap { values[$0] }) }
        func extent(_ input: Int, _ axis: Int) -> Double {
            let shape = node.input(input).flatMap { values[$0] }?.shape ?? []
            return shape.indices.contains(axis < 0 ? shape.count + axis : axis)
                ? Double(shape[axis < 0 ? shape.count + axis : axis]) : 0
        }
        var elements = 0.0
        for case let name? in node.outputs { elements += Self.count(values[name]) }
        guard node.domain.isEmpty else { return (elements, false) }
        switch node.type {
        case "Conv": return (2 * elements * count(1) / max(1, extent(1, 0)), true)
        case "ConvTranspose": return (2 * count(0) * count(1) / max(1, extent(1, 0)), true)
        case "MatMul": return (2 * elements * extent(0, -1), true)
        case "Gemm":
            var axis = 1
            if case .integer(let flag)? = node.attributes["transA"], flag != 0 { axis = 0 }
            return (2 * elements * extent(0, axis), true)
        case "LSTM", "GRU", "RNN":
            // Each step of each sequence goes through the weights of both kinds once.
            return (2 * extent(0, 0) * extent(0, 1) * (count(1) + count(2)), true)
        case "MaxPool", "AveragePool", "LpPool":
            guard case .integers(let kernel)? = node.attributes["kernel_shape"] else {
                return (elements, false)
            }
            return (elements * kernel.reduce(1) { $0 * Double($1) }, false)
        case "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceSum", "ReduceMax":
            return (count(0), false)
        default: return (elements, false)
        }
    }

    private static func count(_ info: ValueInfo?) -> Double {
        info?.shape.map { $0.reduce(1.0) { $0 * Double($1) } } ?? 0
    }

    private static func size(_ info: ValueInfo?) -> Double { Double(info?.elementType?.byteCount ?? 0) }
}
