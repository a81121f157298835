import Tensors

/// Evaluates, before any rule runs, what does not depend on the graph's inputs: nodes all of whose inputs are fixed
/// constants, and nodes such as Shape whose elements follow from dimensions that are known.
///
/// Exporters hide a convolution's bias behind Shape, Expand and Cast; a rule that asks for a constant would refuse it.
/// A value keeps its name: it is the same function of the inputs, which is none. A node that fails is left as it is.
package struct ConstantPropagation {
    /// The most elements that one output may have, unless the node's inputs have as many: a ConstantOfShape of a
    /// few bytes must not fill the memory.
    static let maximumElementCount = 1 << 20
    /// The most elements that all evaluated nodes together may read and write.
    static let maximumTotalElementCount = 1 << 28
    /// The most products of one input element and one output element that a node may have whose evaluation is not known
    /// to take time in proportion to its elements: two ConstantOfShape and a MatMul are a file of some hundred bytes.
    static let maximumProductCount = 1 << 26
    /// The same of all nodes together.
    static let maximumTotalProductCount = 1 << 30

    /// What exporters compute constants with: each element is read and written a few times.
    private static let linearTypes: Set<String> = [
        "Abs", "Add", "And", "Cast", "CastLike", "Ceil", "Clip", "Concat", "ConstantOfShape", "Cos",
        "DepthToSpace", "DequantizeLinear", "Div", "Equal", "Erf", "Exp", "Expand", "Flatten", "Floor",
        "Gather", "Greater", "GreaterOrEqual", "Identity", "Less", "LessOrEqual", "Log", "Max", "Min",
        "Mod", "Mul", "Neg", "Not", "Or", "Pad", "Pow", "QuantizeLinear", "Range", "Reciprocal", "ReduceL2",
        "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Relu",
        "Reshape", "Round", "Shape", "Sigmoid", "Sign", "Sin", "Size", "Slice", "SpaceToDepth", "Split",
        "Sqrt", "Squeeze", "Sub", "Sum", "Tanh", "Tile", "Transpose", "Unsqueeze", "Where", "Xor",
    ]

    package init() {}

    package func run(_ graph: Graph) throws(GraphError) -> Graph {
        var values: [String: ValueInfo] = [:]
        var fixed: [String: Tensor] = [:]
        for (name, tensor) in graph.constants {
            if graph.overridableInputs.contains(name) {
                values[name] = ValueInfo(tensor.elementType, tensor.shape.dimensions.map(Dimension.known))
            } else {
                values[name] = ValueInfo(constant: tensor)
                fixed[name] = tensor
            }
        }
        for port in graph.inputs { values[port.name] = port.info }
        var edit = GraphEdit()
        var budget = Budget()
        for node in graph.nodes {
            let arguments = node.inputs.map { $0.flatMap { values[$0] } }
            let inferred: [ValueInfo]
            do {
                inferred = try node.operation.inferOutputs(arguments, outputCount: node.outputs.count)
            } catch {
                throw error.at(node)
            }
            if let constants = evaluated(node, fixed: fixed, inferred: inferred, budget: &budget)
                ?? known(node, inferred: inferred)
            {
                for case (let name?, let tensor) in zip(node.outputs, constants) {
                    values[name] = ValueInfo(constant: tensor)
                    fixed[name] = tensor
                }
                // A copy would hide that two nodes share a weight: identities are removed by name.
                guard node.type != "Identity" else { continue }
                edit.removedNodes.insert(node.identifier)
                for case (let name?, let tensor) in zip(node.outputs, constants) {
                    edit.insertedConstants[name] = tensor
                }
            } else {
                for case (let name?, let info) in zip(node.outputs, inferred) { values[name] = info }
            }
        }
        return edit.removedNodes.isEmpty ? graph : try graph.applying(edit)
    }

    /// What is left to evaluate.
    private struct Budget {
        var elementCount = ConstantPropagation.maximumTotalElementCount
        var productCount = ConstantPropagation.maximumTotalProductCount
        /// Of the nodes with subgraphs, whose own products bound nothing.
        var subgraphs = EvaluationBudget.loading
    }

    /// The outputs of a node that reads nothing but fixed constants.
    private func evaluated(
        _ node: Node, fixed: [String: Tensor], inferred: [ValueInfo], budget: inout Budget
    ) -> [Tensor]? {
        var arguments: [Tensor?] = []
        for (position, name) in node.inputs.enumerated() {
            guard let name else {
                arguments.append(nil)
                continue
            }
            if let tensor = fixed[name] {
                arguments.append(tensor)
            } else if node.operation is CastLike, position == 1, let type = inferred.first?.elementType,
                let none = try? Shape([0])
            {
                // Of its second input only the element type counts.
                arguments.append(Tensor(elementType: type, shape: none) { _ in })
            } else {
                return nil
            }
        }
        let inputCount = arguments.reduce(0) { $0 + ($1?.shape.count ?? 0) }
        var outputCount = 0
        for (name, info) in zip(node.outputs, inferred) where name != nil {
            guard let dimensions = info.shape, let shape = try? Shape(dimensions),
                shape.count <= max(Self.maximumElementCount, inputCount)
            else { return nil }
            outputCount += shape.count
        }
        guard inputCount + outputCount <= budget.elementCount else { return nil }
        var productCount = 0
        if !Self.linearTypes.contains(node.type) {
            let (products, overflow) = max(1, inputCount).multipliedReportingOverflow(by: max(1, outputCount))
            guard !overflow, products <= min(Self.maximumProductCount, budget.productCount) else {
                return nil
            }
            productCount = products
        }
        if node.type == "Identity", let argument = arguments.first ?? nil { return [argument] }
        // A node that fails has been evaluated too.
        budget.elementCount -= inputCount + outputCount
        budget.productCount -= productCount
        guard
            let outputs = try? Evaluator(rounding: .declared)
                .evaluate(node, arguments.map { $0.map(ExactTensor.init) }, budget: &budget.subgraphs),
            outputs.count >= node.outputs.count
        else { return nil }
        return outputs.map(\.tensor)
    }

    /// The outputs of a node that reads values, when their elements are known all the same.
    private func known(_ node: Node, inferred: [ValueInfo]) -> [Tensor]? {
        guard inferred.count >= node.outputs.count, !inferred.isEmpty else { return nil }
        var tensors: [Tensor] = []
        for info in inferred {
            if let constant = info.constant {
                tensors.append(constant)
            } else if let elements = info.knownElements, let type = info.elementType, type.isInteger,
                let dimensions = info.shape, let shape = try? Shape(dimensions), shape.count == elements.count
            {
                tensors.append(
                    ExactTensor(integers: elements.map(Int64.init), shape: shape, elementType: type).tensor)
            } else {
                return nil
            }
        }
        return tensors
    }
}
