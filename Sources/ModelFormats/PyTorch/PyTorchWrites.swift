import Graph

/// Writes into slices: the tensor that a slice is of, with other elements in the slice's place.
enum PyTorchWrites {
    /// The same without writing, as a program states it once its writes are taken out.
    static let operators = [
        PyTorchOperator("aten.slice_scatter.default", "aten.select_scatter.default") {
            (call) throws(GraphError) in
            [try putBack(try call.value("src"), into: call)]
        }
    ]

    static func isSlice(_ target: String) -> Bool {
        target == "aten.slice.Tensor" || target == "aten.select.int"
    }

    /// `call` made the slice, or says which it is; `value` is what now stands in its place.
    ///
    /// What was before and behind the slice along its axis is joined with the value.
    static func putBack(_ value: String, into call: PyTorchCall) throws(GraphError) -> String {
        if isWhole(call) { return value }
        let axis = try call.axis(default: 0)
        let extent = try call.extent("self", axis)
        var part = value
        let range: Range<Int>
        if call.has("index") {
            let index = try call.axis(call.integer("index"), rank: extent)
            range = index..<index + 1
            part = try call.emit("Unsqueeze", [value, call.vector([axis])])
        } else {
            guard try call.integer("step", default: 1) == 1 else {
                throw call.refusal("a write into a slice with steps is not supported")
            }
            let start = try bound(call.integer("start", default: 0), extent)
            range = start..<max(start, try bound(call.integer("end", default: extent), extent))
        }
        if range == 0..<extent { return part }
        var parts = [part]
        if range.lowerBound > 0 { parts.insert(try rest(0, range.lowerBound, axis, call), at: 0) }
        if range.upperBound < extent { parts.append(try rest(range.upperBound, extent, axis, call)) }
        return try call.emit("Concat", parts, ["axis": .integer(Int64(axis))])
    }

    /// Whether a slice goes over all of its axis, however long that is.
    private static func isWhole(_ call: PyTorchCall) -> Bool {
        !call.has("index") && (try? call.integer("start", default: 0)) == 0
            && (try? call.integer("end", default: .max)) == .max
            && (try? call.integer("step", default: 1)) == 1
    }

    private static func rest(
        _ begin: Int, _ end: Int, _ axis: Int, _ call: PyTorchCall
    ) throws(GraphError) -> String {
        try call.emit(
            "Slice", [call.value(), call.vector([begin]), call.vector([end]), call.vector([axis])])
    }

    /// A position counted from either end, within the axis.
    private static func bound(_ value: Int, _ extent: Int) throws(GraphError) -> Int {
        min(extent, max(0, value < 0 ? value.addingReportingOverflow(extent).partialValue : value))
    }
}
