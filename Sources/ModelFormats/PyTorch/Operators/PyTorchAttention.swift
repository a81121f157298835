import Graph
import Tensors

/// Attention: softmax(Q·Kᵀ·scale + mask)·V.
enum PyTorchAttention {
    static let operators = [
        PyTorchOperator(
            "aten.scaled_dot_product_attention.default",
            "aten._scaled_dot_product_flash_attention_for_cpu.default",
            map: scaledDotProduct)
    ]

    private static func scaledDotProduct(_ call: PyTorchCall) throws(GraphError) -> [String] {
        guard try call.real("dropout_p", default: 0) == 0 else {
            throw call.refusal(PyTorchNormalization.trainingReason)
        }
        let query = try call.meta("query")
        guard query.rank >= 2 else { throw call.refusal("takes tensors of rank 2 and more") }
        let depth = try call.extent("query", query.rank - 1)
        let type = query.elementType
        let scale = try call.real("scale", default: 1 / Double(max(1, depth)).squareRoot())
        let rank = try call.meta("key").rank
        guard rank >= 2 else { throw call.refusal("takes tensors of rank 2 and more") }
        var order = Array(0..<rank)
        order.swapAt(rank - 1, rank - 2)
        let keys = try call.emit(
            "Transpose", [grouped("key", call)], ["perm": .integers(order.map(Int64.init))])
        let scaled = try call.emit("Mul", [call.value("query"), call.scalar(scale, type)])
        var scores = try call.emit("MatMul", [scaled, keys])
        if call.has("attn_mask") { scores = try masked(scores, type, call) }
        if try call.flag("is_causal") { scores = try causal(scores, type, call) }
        let weights = try call.emit("Softmax", [scores], ["axis": .integer(-1)])
        return try call.result("MatMul", [weights, grouped("value", call)])
    }

    /// Keys or values, each head repeated for the queries that share it.
    private static func grouped(_ name: String, _ call: PyTorchCall) throws(GraphError) -> String {
        let value = try call.value(name)
        guard try call.flag("enable_gqa") else { return value }
        let meta = try call.meta(name)
        let rank = meta.rank
        guard rank == 4, try call.meta("query").rank == rank else {
            throw call.refusal("enable_gqa takes tensors of rank 4")
        }
        let (queries, heads) = (try call.extent("query", 1), try call.extent(name, 1))
        guard heads > 0, queries.isMultiple(of: heads) else {
            throw call.refusal("\(queries) heads cannot share \(heads)")
        }
        guard queries > heads else { return value }
        let apart = try call.emit("Unsqueeze", [value, call.vector([2])])
        let tiled = try call.emit("Tile", [apart, call.vector([1, 1, queries / heads, 1, 1])])
        let shape = [0, queries, -1, try call.extent(name, 3)]
        return try call.emit("Reshape", [tiled, call.vector(shape)])
    }

    private static func masked(
        _ scores: String, _ type: ElementType, _ call: PyTorchCall
    ) throws(GraphError) -> String {
        let mask = try call.value("attn_mask")
        guard try call.meta("attn_mask").elementType == .bool else {
            return try call.emit("Add", [scores, mask])
        }
        return try call.emit("Where", [mask, scores, call.scalar(-.infinity, type)])
    }

    /// A position sees those before it.
    private static func causal(
        _ scores: String, _ type: ElementType, _ call: PyTorchCall
    ) throws(GraphError) -> String {
        let queries = try call.extent("query", call.meta("query").rank - 2)
        let keys = try call.extent("key", call.meta("key").rank - 2)
        let (count, overflow) = queries.multipliedReportingOverflow(by: keys)
        guard !overflow, count <= PyTorchLimits.maximumFilledElementCount else {
            throw call.refusal("a mask of \(queries) × \(keys) is too large")
        }
        let sees = (0..<count).map { $0 % max(1, keys) <= $0 / max(1, keys) }
        guard let shape = try? Shape([queries, keys]), let mask = try? Tensor(sees, shape: shape) else {
            throw call.refusal("a mask of \(queries) × \(keys) is no tensor")
        }
        let name = call.builder.add(mask, stem: call.node.name + "/causal")
        return try call.emit("Where", [name, scores, call.scalar(-.infinity, type)])
    }
}
