import Graph
import Tensors

/// Attention: softmax(Q·Kᵀ·scale + mask)·V.
enum PyTorchAttention {
    static let operators = [
        PyTorchOperator("aten.scaled_dot_product_attention.default", map: scaledDotProduct)
    ]

    private static func scaledDotProduct(_ call: PyTorchCall) throws(GraphError) -> [String] {
        guard try call.real("dropout_p", default: 0) == 0 else {
            throw call.refusal(PyTorchNormalization.trainingReason)
        }
        guard try !call.flag("enable_gqa") else { throw call.refusal("enable_gqa is not supported") }
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
            "Transpose", [call.value("key")], ["perm": .integers(order.map(Int64.init))])
        let scaled = try call.emit("Mul", [call.value("query"), call.scalar(scale, type)])
        var scores = try call.emit("MatMul", [scaled, keys])
        if call.has("attn_mask") { scores = try masked(scores, type, call) }
        if try call.flag("is_causal") { scores = try causal(scores, type, call) }
        let weights = try call.emit("Softmax", [scores], ["axis": .integer(-1)])
        return try call.result("MatMul", [weights, call.value("value")])
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
