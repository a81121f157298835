import Graph
import Tensors

/// What shows a tensor's elements in another shape or order, and what leaves them as they are.
enum PyTorchViews {
    static let operators = [
        PyTorchOperator(
            "aten.view.default", "aten.reshape.default", "aten._unsafe_view.default",
            "aten.view_copy.default",
            isView: true
        ) { (call) throws(GraphError) in try reshaped(call, target: call.symbolicIntegers(targetName(call)))
        },
        PyTorchOperator(
            "aten.flatten.using_ints", "aten.squeeze.default", "aten.squeeze.dim", "aten.squeeze.dims",
            "aten.unflatten.int", "aten.view_as.default", "aten.reshape_as.default", isView: true
        ) { (call) throws(GraphError) in try reshaped(call, target: nil) },
        PyTorchOperator("aten.unsqueeze.default", isView: true) { (call) throws(GraphError) in
            let axis = try call.axis(call.integer("dim"), rank: call.meta().rank + 1)
            return try call.result("Unsqueeze", [call.value(), call.vector([axis])])
        },
        PyTorchOperator("aten.permute.default", isView: true) { (call) throws(GraphError) in
            let rank = try call.meta().rank
            var order: [Int] = []
            for axis in try call.integers("dims") { order.append(try call.axis(axis, rank: rank)) }
            return try transposed(call, order)
        },
        PyTorchOperator("aten.transpose.int", "aten.swapaxes.default", "aten.swapdims.default", isView: true)
        {
            (call) throws(GraphError) in
            let names = call.has("axis0") ? ["axis0", "axis1"] : ["dim0", "dim1"]
            var order = Array(0..<(try call.meta().rank))
            guard !order.isEmpty else { return [try call.value()] }
            order.swapAt(try call.axis(names[0]), try call.axis(names[1]))
            return try transposed(call, order)
        },
        PyTorchOperator("aten.mT.default", isView: true) { (call) throws(GraphError) in
            let rank = try call.meta().rank
            guard rank >= 2 else { throw call.refusal("takes tensors of rank 2 and more") }
            var order = Array(0..<rank)
            order.swapAt(rank - 1, rank - 2)
            return try transposed(call, order)
        },
        PyTorchOperator("aten.t.default", "aten.numpy_T.default", isView: true) {
            (call) throws(GraphError) in
            let rank = try call.meta().rank
            guard rank <= 2 else { throw call.refusal("takes tensors of rank 2 and less") }
            return try transposed(call, Array((0..<rank).reversed()))
        },
        PyTorchOperator("aten.movedim.int", "aten.moveaxis.int", isView: true) { (call) throws(GraphError) in
            var order = Array(0..<(try call.meta().rank))
            let (source, target) = (try call.axis("source"), try call.axis("destination"))
            guard !order.isEmpty else { return [try call.value()] }
            order.insert(order.remove(at: source), at: target)
            return try transposed(call, order)
        },
        PyTorchOperator("aten.movedim.intlist", "aten.moveaxis.intlist", isView: true) {
            (call) throws(GraphError) in
            let rank = try call.meta().rank
            var (sources, places): ([Int], [Int?]) = ([], [Int?](repeating: nil, count: rank))
            for (source, target) in zip(try call.integers("source"), try call.integers("destination")) {
                sources.append(try call.axis(source, rank: rank))
                places[try call.axis(target, rank: rank)] = sources.last
            }
            var rest = (0..<rank).filter { !sources.contains($0) }.makeIterator()
            return try transposed(call, places.map { $0 ?? rest.next() ?? 0 })
        },
        PyTorchOperator(
            "aten.expand.default", "aten.expand_copy.default", "aten.broadcast_to.default", isView: true
        ) {
            (call) throws(GraphError) in try expanded(call, call.symbolicIntegers("size"))
        },
        PyTorchOperator("aten.expand_as.default", isView: true) { (call) throws(GraphError) in
            let shape = try call.emit("Shape", [call.value("other")])
            return try call.result("Expand", [call.value(), shape])
        },
        PyTorchOperator(
            "aten.contiguous.default", "aten.detach.default", "aten.alias.default", "aten.view.dtype",
            "aten.lift_fresh.default", "aten.data.default", isView: true
        ) { (call) throws(GraphError) in try same(call) },
        PyTorchOperator("aten.clone.default", "aten.lift_fresh_copy.default", "aten.detach_copy.default") {
            (call) throws(GraphError) in try same(call)
        },
        PyTorchOperator(
            "aten.dropout.default", "aten.feature_dropout.default", "aten.alpha_dropout.default",
            "aten.feature_alpha_dropout.default", "aten.native_dropout.default", isView: true
        ) { (call) throws(GraphError) in
            guard try !call.flag("train") else { throw call.refusal(PyTorchNormalization.trainingReason) }
            return [try call.value(call.has("input") ? "input" : "self")]
        },
    ]

    private static func same(_ call: PyTorchCall) throws(GraphError) -> [String] {
        guard try call.meta().elementType == call.outputMeta().elementType else {
            throw call.refusal("looks at bits as another element type")
        }
        return [try call.value()]
    }

    private static func targetName(_ call: PyTorchCall) -> String { call.has("size") ? "size" : "shape" }

    // MARK: - Shapes

    /// The same elements in the shape that is stated of the output.
    ///
    /// Where that leaves no more than one extent open, the shape is a constant: 0 keeps an extent, −1 is what is left.
    static func reshaped(
        _ call: PyTorchCall, target: [PyTorchInteger]?, of value: String? = nil
    ) throws(GraphError) -> [String] {
        let input = if let value { value } else { try call.value() }
        // Another value has no more than the first axis in common with the argument.
        let own = try call.meta().dimensions.prefix(value == nil ? .max : 1)
        if let shape = constantShape(from: Array(own), to: try call.outputMeta().dimensions) {
            return try call.result("Reshape", [input, call.vector(shape)])
        }
        guard let target else { throw call.refusal("more than one extent of its output is not known") }
        return try call.result("Reshape", [input, call.vector(target)])
    }

    private static func constantShape(from own: [PyTorchDimension], to target: [PyTorchDimension]) -> [Int]? {
        // A known 0 would be read as an extent to keep.
        guard !target.contains(.known(0)) else { return nil }
        var shape: [Int] = []
        var isOpen = false
        for (axis, dimension) in target.enumerated() {
            if let value = dimension.value {
                shape.append(value)
            } else if axis < own.count, own[axis] == dimension {
                shape.append(0)
            } else {
                guard !isOpen else { return nil }
                isOpen = true
                shape.append(-1)
            }
        }
        return shape
    }

    private static func expanded(
        _ call: PyTorchCall, _ sizes: [PyTorchInteger]
    ) throws(GraphError) -> [String] {
        let (own, target) = (try call.meta().dimensions, try call.outputMeta().dimensions)
        guard own.count <= target.count, sizes.count == target.count else {
            throw call.refusal("expands rank \(own.count) to \(sizes.count) sizes")
        }
        let shape = target.indices.map { axis -> PyTorchInteger in
            let ownAxis = axis - (target.count - own.count)
            // In an Expand, 1 keeps an extent.
            if ownAxis >= 0, own[ownAxis] == target[axis] { return .known(1) }
            return target[axis].value.map(PyTorchInteger.known) ?? sizes[axis]
        }
        return try call.result("Expand", [call.value(), call.vector(shape)])
    }

    // MARK: - Orders of axes

    private static func transposed(_ call: PyTorchCall, _ order: [Int]) throws(GraphError) -> [String] {
        let name = try call.tensorName("self")
        if call.builder.weightName(name) != nil { return [try permuted("self", order, call)] }
        return try call.result("Transpose", [call.value()], ["perm": .integers(order.map(Int64.init))])
    }

    /// A tensor argument with its axes in another order: a stored one is rearranged now.
    static func permuted(_ argument: String, _ order: [Int], _ call: PyTorchCall) throws(GraphError) -> String
    {
        let name = try call.tensorName(argument)
        guard order.sorted() == Array(0..<(try call.meta(argument).rank)) else {
            throw call.refusal("\(order) is no order of the axes")
        }
        if let weight = call.builder.weightName(name) {
            return try call.builder.constant(weight: weight, permutation: order)
        }
        return try call.emit(
            "Transpose", [call.value(argument)], ["perm": .integers(order.map(Int64.init))])
    }
}
