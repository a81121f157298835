/// One output of one call of a layer: `["conv2d", 0, 0]`.
struct KerasReference {
    struct Call: Hashable {
        let layer: String
        /// A layer that is shared is called several times.
        let node: Int
    }

    let call: Call
    let output: Int

    init?(_ json: JSON) {
        guard let parts = json.array, parts.count >= 3, let layer = parts[0].string,
            let node = parts[1].integer, let output = parts[2].integer, node >= 0, output >= 0
        else { return nil }
        call = Call(layer: layer, node: node)
        self.output = output
    }

    func value(_ values: [Call: [KerasValue]]) throws(KerasRefusal) -> KerasValue {
        guard let outputs = values[call], output < outputs.count else {
            throw KerasRefusal(
                "output \(output) of call \(call.node) of the layer '\(call.layer)' is not computed")
        }
        return outputs[output]
    }

    /// A model's inputs or outputs: one, a list, or by name.
    static func list(_ json: JSON) throws(KerasRefusal) -> [(key: String?, reference: KerasReference)] {
        if let one = KerasReference(json) { return [(nil, one)] }
        var result: [(key: String?, reference: KerasReference)] = []
        if let members = json.object {
            for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                guard let reference = KerasReference(value) else { break }
                result.append((key, reference))
            }
            if result.count == members.count { return result }
        } else if let elements = json.array {
            for element in elements {
                guard let reference = KerasReference(element) else { break }
                result.append((nil, reference))
            }
            if result.count == elements.count { return result }
        }
        throw KerasRefusal("the model's inputs or outputs are in no known form")
    }
}

/// A call's arguments before the tensors are known.
struct KerasCallReader {
    private enum Argument {
        case reference(KerasReference)
        case references([KerasReference])
        case constant(JSON)
    }

    private var arguments: [Argument] = []
    private var keywords: [String: JSON] = [:]

    /// Where the tensors come from.
    var references: [KerasReference] {
        arguments.flatMap { argument -> [KerasReference] in
            switch argument {
            case .reference(let reference): [reference]
            case .references(let references): references
            case .constant: []
            }
        }
    }

    /// Reads a call of one of TensorFlow's functions in Keras 2, `["conv2d", 0, 0, {"y": 3.0}]`: two operands are
    /// tensors or numbers, `["_CONSTANT_VALUE", -1, 1.0, {"y": ["conv2d", 0, 0]}]`.
    static func readFunction(_ json: JSON) throws(KerasRefusal) -> KerasCallReader {
        let node = json.array?.first?.string == nil ? json.array?.first : json
        guard let parts = node?.array, parts.count >= 3 else {
            throw KerasRefusal("it is called in no known form")
        }
        var reader = KerasCallReader()
        if let reference = KerasReference(.array(parts)) {
            reader.arguments.append(.reference(reference))
        } else {
            guard parts[0].string == "_CONSTANT_VALUE" else {
                throw KerasRefusal("it is called in no known form")
            }
            reader.arguments.append(.constant(parts[2]))
        }
        reader.keywords = parts.dropFirst(3).first?.object ?? [:]
        if let operand = reader.keywords.removeValue(forKey: "y") {
            reader.arguments.append(KerasReference(operand).map { .reference($0) } ?? .constant(operand))
        }
        return reader
    }

    /// Reads a node of Keras 3, `{"args": […], "kwargs": {…}}`, or of Keras 2, `[["conv2d", 0, 0, {…}], …]`.
    static func read(_ json: JSON) throws(KerasRefusal) -> KerasCallReader {
        var reader = KerasCallReader()
        if json.object != nil {
            for argument in json["args"]?.array ?? [] { reader.arguments.append(try Self.argument(argument)) }
            reader.keywords = json["kwargs"]?.object ?? [:]
        } else if let nodes = json.array {
            let nodes = nodes.first?.string == nil ? nodes : [json]
            var references: [KerasReference] = []
            for node in nodes {
                guard let reference = KerasReference(node) else {
                    throw KerasRefusal("it is called in no known form")
                }
                references.append(reference)
                for (key, value) in node.array?.dropFirst(3).first?.object ?? [:] {
                    reader.keywords[key] = value
                }
            }
            reader.arguments = [.references(references)]
        }
        for (key, value) in reader.keywords where Self.reference(value) != nil || KerasReference(value) != nil
        {
            throw KerasRefusal("its argument \(key) is a tensor, which is not supported")
        }
        return reader
    }

    func resolved(_ values: [KerasReference.Call: [KerasValue]]) throws(KerasRefusal) -> KerasCall {
        var resolved: [KerasCall.Argument] = []
        for argument in arguments {
            switch argument {
            case .reference(let reference): resolved.append(.value(try reference.value(values)))
            case .references(let references):
                var list: [KerasValue] = []
                for reference in references { list.append(try reference.value(values)) }
                resolved.append(.values(list))
            case .constant(let json): resolved.append(.constant(json))
            }
        }
        return KerasCall(arguments: resolved, keywords: keywords)
    }

    private static func argument(_ json: JSON) throws(KerasRefusal) -> Argument {
        if let reference = reference(json) { return .reference(reference) }
        guard let list = json.array, !list.isEmpty else { return .constant(json) }
        let references = list.compactMap(reference)
        if references.isEmpty { return .constant(json) }
        guard references.count == list.count else {
            throw KerasRefusal("it is called with tensors and other things in one list")
        }
        return .references(references)
    }

    private static func reference(_ json: JSON) -> KerasReference? {
        guard json["class_name"]?.string == "__keras_tensor__" else { return nil }
        return json["config"]?["keras_history"].flatMap(KerasReference.init)
    }
}

/// The calls of a model's layers in an order in which each finds its tensors.
struct KerasCallOrder {
    struct Step {
        let call: KerasReference.Call
        let layer: Int
        let arguments: KerasCallReader
    }

    private var steps: [Step] = []

    mutating func add(
        _ call: KerasReference.Call, layer: Int, _ arguments: KerasCallReader
    ) throws(KerasRefusal) {
        guard steps.count < KerasLimits.maximumLayerCount else {
            throw KerasRefusal(
                "the model's layers are called more than \(KerasLimits.maximumLayerCount) times")
        }
        steps.append(Step(call: call, layer: layer, arguments: arguments))
    }

    /// Kahn 1962. A call whose tensors are never there is left out: whoever asks for its output misses it.
    func sorted(given: Set<KerasReference.Call>) -> [Step] {
        var missing = [Int](repeating: 0, count: steps.count)
        var waiting: [KerasReference.Call: [Int]] = [:]
        for (index, step) in steps.enumerated() {
            for call in Set(step.arguments.references.map(\.call)) where !given.contains(call) {
                missing[index] += 1
                waiting[call, default: []].append(index)
            }
        }
        var ready = steps.indices.filter { missing[$0] == 0 }
        var order: [Step] = []
        var position = 0
        while position < ready.count {
            let step = steps[ready[position]]
            position += 1
            order.append(step)
            for index in waiting.removeValue(forKey: step.call) ?? [] {
                missing[index] -= 1
                if missing[index] == 0 { ready.append(index) }
            }
        }
        return order
    }
}
