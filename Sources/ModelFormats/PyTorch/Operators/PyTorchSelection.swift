import Graph
import Tensors

/// What takes parts of a tensor.
enum PyTorchSelection {
    static let operators = [
        PyTorchOperator("aten.slice.Tensor", isView: true, map: slice),
        PyTorchOperator("aten.narrow.default", isView: true, map: narrowed),
        PyTorchOperator("aten.select.int", isView: true, map: selected),
        PyTorchOperator("aten.index_select.default") { (call) throws(GraphError) in
            try call.result(
                "Gather", [call.value(), call.value("index")], ["axis": .integer(Int64(try call.axis()))])
        },
        PyTorchOperator("aten.gather.default") { (call) throws(GraphError) in
            try call.result(
                "GatherElements", [call.value(), call.value("index")],
                ["axis": .integer(Int64(try call.axis()))])
        },
        PyTorchOperator("aten.index.Tensor", "aten._unsafe_index.Tensor", map: indexed),
        PyTorchOperator("aten.index_put.default", "aten._unsafe_index_put.default") {
            (call) throws(GraphError) in
            try PyTorchPositions(call).put(into: call)
        },
        PyTorchOperator("aten.scatter.src") { (call) throws(GraphError) in
            try call.result(
                "ScatterElements", [call.value(), call.value("index"), call.value("src")],
                ["axis": .integer(Int64(try call.axis()))])
        },
    ]

    private static func slice(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let axis = try call.axis(default: 0)
        let start = call.has("start") ? try call.symbolicInteger("start") : .known(0)
        let end = call.has("end") ? try call.symbolicInteger("end") : .known(.max)
        let step = try call.integer("step", default: 1)
        if case (.known(0), .known(.max), 1) = (start, end, step) { return [try call.value()] }
        var inputs: [String?] = [
            try call.value(), try call.vector([start]), try call.vector([end]), call.vector([axis]),
        ]
        if step != 1 { inputs.append(call.vector([step])) }
        return try call.result("Slice", inputs)
    }

    private static func narrowed(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let axis = try call.axis()
        let (start, length) = (try call.integer("start"), try call.integer("length"))
        let (end, overflow) = start.addingReportingOverflow(length)
        guard start >= 0, length >= 0, !overflow else { throw call.refusal("takes no part of the axis") }
        return try call.result(
            "Slice", [call.value(), call.vector([start]), call.vector([end]), call.vector([axis])])
    }

    private static func selected(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let axis: Attribute = .integer(Int64(try call.axis()))
        let index = try PyTorchArithmetic.operand("index", as: .int64, call)
        return try call.result("Gather", [call.value(), index], ["axis": axis])
    }

    /// Positions along some axes; the others are taken whole.
    private static func indexed(_ call: PyTorchCall) throws(GraphError) -> [String] {
        let indices = try call.tensorNames("indices")
        let given = indices.indices.filter { indices[$0] != nil }
        if given.count == 1, let name = indices[given[0]], try call.builder.meta(name).elementType.isInteger {
            return try call.result(
                "Gather", [call.value(), call.builder.value(name)], ["axis": .integer(Int64(given[0]))])
        }
        return try PyTorchPositions(call).take(from: call)
    }
}
