import Tensors

/// An exported program as models/model.json states it, with names resolved to what they stand for.
struct PyTorchProgram {
    /// What a graph input stands for.
    enum Source {
        case user
        /// A parameter, buffer or tensor constant by its name in the module.
        case weight(String)
    }

    struct Input {
        let name: String
        let source: Source
    }

    /// A tensor that a caller gets.
    struct Output {
        let name: String
        /// Its key, when the model returns a dictionary.
        let key: String?
    }

    var inputs: [Input]
    var outputs: [Output]
    var nodes: [PyTorchNode]
    var tensors: [String: PyTorchTensorMeta]
    /// The integers that are the same in every run.
    var integers: [String: Int]
    /// The names of the symbols that stand for the first axis of an input, by what the file calls them.
    var symbolNames: [String: String]
}

/// One call of an operator.
struct PyTorchNode {
    /// `aten.conv2d.default`.
    let target: String
    let name: String
    /// The module that makes the call: `layer1.0.conv1`; empty in the outermost.
    let module: String
    let arguments: [String: PyTorchArgument]
    /// `nil`: an output that is no tensor and no integer.
    let outputs: [String?]

    /// What errors and the graph call it.
    var displayName: String { module.isEmpty ? name : module + "/" + name }
}

/// An extent, as the file states it.
enum PyTorchDimension: Hashable {
    case known(Int)
    /// The same text stands for the same extent.
    case symbol(String)

    var value: Int? { if case .known(let value) = self { value } else { nil } }
}

/// What the file states of a tensor.
struct PyTorchTensorMeta {
    let elementType: ElementType
    var dimensions: [PyTorchDimension]

    var rank: Int { dimensions.count }
}

/// An integer argument: a number, or the value that a node computes.
enum PyTorchInteger {
    case known(Int)
    case value(String)
}

/// An argument of a call.
enum PyTorchArgument {
    case absent
    case tensor(String)
    case tensors([String?])
    case integer(PyTorchInteger)
    case integers([PyTorchInteger])
    case real(Double)
    case reals([Double])
    case boolean(Bool)
    case string(String)
    case elementType(ElementType)
    /// A kind that no operator here takes, by its name in the file.
    case other(String)

    /// The names of values that the call reads.
    var names: [String] {
        switch self {
        case .tensor(let name): [name]
        case .tensors(let names): names.compactMap { $0 }
        case .integer(let integer): Self.name(integer).map { [$0] } ?? []
        case .integers(let integers): integers.compactMap(Self.name)
        default: []
        }
    }

    /// The same argument with other names for the values that it reads.
    func renamed(_ name: (String) -> String) -> PyTorchArgument {
        func renamed(_ integer: PyTorchInteger) -> PyTorchInteger {
            if case .value(let value) = integer { .value(name(value)) } else { integer }
        }
        switch self {
        case .tensor(let value): return .tensor(name(value))
        case .tensors(let values): return .tensors(values.map { $0.map(name) })
        case .integer(let integer): return .integer(renamed(integer))
        case .integers(let integers): return .integers(integers.map(renamed))
        default: return self
        }
    }

    private static func name(_ integer: PyTorchInteger) -> String? {
        if case .value(let name) = integer { name } else { nil }
    }
}
