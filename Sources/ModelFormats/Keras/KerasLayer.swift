import Tensors

/// One layer of a model: what the configuration says of it, and its weights.
struct KerasLayer {
    /// A layer as a model's configuration states it.
    struct Stated {
        let className: String
        let name: String
        let config: JSON
        /// The nodes through which it is called; empty in a Sequential.
        let calls: [JSON]
        /// What a class that is not in Keras's own namespace is called: `Shop>Dense`; nothing for all others.
        let ownClass: String?
        /// Whether it is one of `keras.ops` and no layer.
        let isOperation: Bool

        static let modelClasses: Set = ["Functional", "Sequential", "Model"]

        /// Whether it is a model inside the model.
        var isModel: Bool { Self.modelClasses.contains(className) }

        init(_ json: JSON) throws(KerasRefusal) {
            guard let className = json["class_name"]?.string else {
                throw KerasRefusal("the configuration has a layer without class_name")
            }
            self.className = className
            config = json["config"] ?? .object([:])
            guard let name = json["name"]?.string ?? config["name"]?.string, !name.isEmpty else {
                throw KerasRefusal("the configuration has a \(className) without a name")
            }
            self.name = name
            calls = json["inbound_nodes"]?.array ?? []
            let module = json["module"]?.string ?? ""
            ownClass = module.hasPrefix("keras") ? nil : json["registered_name"]?.string
            isOperation = module.hasPrefix("keras.src.ops")
        }
    }

    let stated: Stated
    let weights: KerasWeights
    /// Its names from the model inwards.
    let path: String
    /// Whether Keras 2 wrote the file: some defaults were others.
    let isKeras2: Bool
    /// How many wrappers are around it.
    var depth = 0

    var className: String { stated.className }
    var config: JSON { stated.config }

    // MARK: - The configuration

    func flag(_ key: String, default value: Bool) -> Bool { config[key]?.boolean ?? value }
    func text(_ key: String, default value: String) -> String { config[key]?.string ?? value }

    func real(_ key: String, default value: Float) throws(KerasRefusal) -> Float {
        guard let member = config[key] else { return value }
        // Keras writes the numbers of NumPy as objects.
        guard let real = member.real ?? member["config"]?["value"]?.real else {
            throw KerasRefusal("its \(key) is \(member.kind), expected a number")
        }
        return Float(real)
    }

    func integer(_ key: String, default value: Int? = nil) throws(KerasRefusal) -> Int {
        guard let integer = config[key]?.integer ?? value,
            (-KerasLimits.maximumExtent...KerasLimits.maximumExtent).contains(integer)
        else {
            throw KerasRefusal("its \(key) is no usable integer")
        }
        return integer
    }

    /// One integer for all axes, or one for each; none is below `minimum`.
    func integers(
        _ key: String, count: Int, default value: [Int]? = nil, minimum: Int = 1
    ) throws(KerasRefusal) -> [Int] {
        guard let member = config[key] else {
            guard let value else { throw KerasRefusal("it has no \(key)") }
            return value
        }
        let integers = member.integer.map { [Int](repeating: $0, count: count) } ?? member.integers ?? []
        guard integers.count == count,
            integers.allSatisfy({ (minimum...KerasLimits.maximumExtent).contains($0) })
        else { throw KerasRefusal("its \(key) is not \(count) integers of at least \(minimum)") }
        return integers
    }

    /// One axis, or several.
    func axes(_ key: String, default value: [Int]) throws(KerasRefusal) -> [Int] {
        guard let member = config[key] else { return value }
        guard let axes = member.integer.map({ [$0] }) ?? member.integers,
            axes.allSatisfy({ (-KerasLimits.maximumRank...KerasLimits.maximumRank).contains($0) })
        else { throw KerasRefusal("its \(key) is \(member.kind), expected integers") }
        return axes
    }

    /// Begin and end of each axis: `[[1, 2], [3, 4]]`, `[1, 2]` for one axis.
    func pairs(_ key: String, count: Int) throws(KerasRefusal) -> [(begin: Int, end: Int)] {
        let member = config[key] ?? .null
        let range = 0...KerasLimits.maximumExtent
        var lists = (member.array ?? []).map { $0.integer.map { one in [one, one] } ?? $0.integers ?? [] }
        if count == 1, let pair = member.integers { lists = [pair] }
        if let one = member.integer { lists = [[Int]](repeating: [one, one], count: count) }
        guard lists.count == count, lists.allSatisfy({ $0.count == 2 && $0.allSatisfy(range.contains) })
        else {
            throw KerasRefusal("its \(key) is not \(count) pairs of integers")
        }
        return lists.map { ($0[0], $0[1]) }
    }

    /// Throws unless the member is absent, null, false, 0 or `expected`.
    func require(_ key: String, _ expected: JSON? = nil) throws(KerasRefusal) {
        guard let member = config[key], member != .boolean(false), member.real != 0, member != expected else {
            return
        }
        throw KerasRefusal("\(key) is not supported")
    }

    /// Whether channels are on axis 1 for Keras itself.
    var hasChannelsFirst: Bool { config["data_format"]?.string == "channels_first" }
}

/// How a layer is called.
struct KerasCall {
    enum Argument {
        case value(KerasValue)
        case values([KerasValue])
        case constant(JSON)
    }

    let arguments: [Argument]
    let keywords: [String: JSON]

    /// All tensors.
    var inputs: [KerasValue] {
        arguments.flatMap { argument -> [KerasValue] in
            switch argument {
            case .value(let value): [value]
            case .values(let values): values
            case .constant: []
            }
        }
    }

    /// The one tensor that most layers take.
    var input: KerasValue {
        get throws(KerasRefusal) {
            let inputs = inputs
            guard inputs.count == 1 else {
                throw KerasRefusal("it is called with \(inputs.count) tensors, expected one")
            }
            return inputs[0]
        }
    }

    /// A call with one tensor.
    init(_ value: KerasValue) {
        arguments = [.value(value)]
        keywords = [:]
    }

    init(arguments: [Argument], keywords: [String: JSON] = [:]) {
        self.arguments = arguments
        self.keywords = keywords
    }
}
