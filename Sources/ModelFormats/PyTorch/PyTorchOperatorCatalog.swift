import Graph

/// How one operator of PyTorch becomes nodes: it gives the values of its outputs, in order.
struct PyTorchOperator: Sendable {
    typealias Mapping = @Sendable (PyTorchCall) throws(GraphError) -> [String]

    /// The operator with its overload: `aten.add.Tensor`. One that writes into its input (`aten.add_.Tensor`) is
    /// mapped as the one that does not.
    let names: [String]
    /// Whether the output may share the input's memory.
    let isView: Bool
    let map: Mapping

    init(_ names: String..., isView: Bool = false, map: @escaping Mapping) {
        self.names = names
        self.isView = isView
        self.map = map
    }
}

/// The operators of PyTorch that are understood, by name.
package struct PyTorchOperatorCatalog: Sendable {
    private let operators: [String: PyTorchOperator]

    init(_ families: [[PyTorchOperator]]) {
        var operators: [String: PyTorchOperator] = [:]
        for operation in families.joined() {
            for name in operation.names {
                let previous = operators.updateValue(operation, forKey: name)
                precondition(previous == nil, "\(name) is listed twice")
            }
        }
        self.operators = operators
    }

    package static let standard = PyTorchOperatorCatalog([
        PyTorchConvolution.operators,
        PyTorchProducts.operators,
        PyTorchNormalization.operators,
        PyTorchPooling.operators,
        PyTorchActivations.operators,
        PyTorchArithmetic.operators,
        PyTorchComparison.operators,
        PyTorchReduction.operators,
        PyTorchViews.operators,
        PyTorchMovement.operators,
        PyTorchWindows.operators,
        PyTorchSelection.operators,
        PyTorchWrites.operators,
        PyTorchCreation.operators,
        PyTorchResizing.operators,
        PyTorchRecurrent.operators,
        PyTorchCells.operators,
        PyTorchAttention.operators,
        PyTorchIntegers.operators,
    ])

    package var names: [String] { operators.keys.sorted() }

    subscript(target: String) -> PyTorchOperator? {
        operators[target] ?? Self.functional(target).flatMap { operators[$0] }
    }

    func isView(_ target: String) -> Bool { operators[target]?.isView ?? false }

    /// Whether an operator writes into its input, known or not.
    func isInPlace(_ target: String) -> Bool { Self.functional(target) != nil }

    /// `aten.relu_.default` is aten.relu.default with another place for its result.
    private static func functional(_ target: String) -> String? {
        var parts = target.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts[0] == "aten", parts[1].hasSuffix("_"), !parts[1].hasSuffix("__") else {
            return nil
        }
        parts[1].removeLast()
        return parts.joined(separator: ".")
    }
}
