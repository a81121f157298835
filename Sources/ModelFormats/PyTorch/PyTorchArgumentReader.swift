import Tensors

/// Reads the tagged unions of PyTorch's export schema: arguments, integers and tensor descriptions.
///
/// Source: torch/_export/serde/schema.py, version 8.
enum PyTorchArgumentReader {
    struct Refusal: Error {
        let reason: String
    }

    /// A union is an object with one member, whose key says what it is.
    static func argument(_ json: JSON) throws(Refusal) -> PyTorchArgument {
        guard let members = json.object, members.count == 1, let (key, value) = members.first else {
            throw Refusal(reason: "an argument is no union")
        }
        switch key {
        case "as_none": return .absent
        case "as_tensor": return .tensor(try name(value["name"]))
        case "as_tensors", "as_optional_tensors": return .tensors(try tensors(value))
        case "as_optional_tensor":
            guard let inner = value.object?["as_tensor"] else { return .absent }
            return .tensor(try name(inner["name"]))
        case "as_int": return .integer(.known(try integer(value)))
        case "as_ints":
            return .integers(try list(value).map { (v) throws(Refusal) in .known(try integer(v)) })
        case "as_sym_int": return .integer(try symbolicInteger(value))
        case "as_sym_ints": return .integers(try list(value).map(symbolicInteger))
        case "as_float": return .real(try real(value))
        case "as_floats": return .reals(try list(value).map(real))
        case "as_bool":
            guard let flag = value.boolean else { throw Refusal(reason: "as_bool holds \(value.kind)") }
            return .boolean(flag)
        case "as_string": return .string(try name(value))
        case "as_scalar_type":
            let number = try integer(value)
            guard let type = elementType(number) else { return .other("element type \(number)") }
            return .elementType(type)
        default: return .other(key)
        }
    }

    /// The integers of a schema's ScalarType that tensors here can have.
    static func elementType(_ number: Int) -> ElementType? {
        switch number {
        case 1: .uint8
        case 2: .int8
        case 3: .int16
        case 4: .int32
        case 5: .int64
        case 6: .float16
        case 7: .float32
        case 8: .float64
        case 12: .bool
        case 13: .bfloat16
        case 28: .uint16
        case 34: .uint32
        case 35: .uint64
        default: nil
        }
    }

    /// A TensorMeta; `nil` for an element type that tensors here cannot have.
    static func meta(_ json: JSON) throws(Refusal) -> PyTorchTensorMeta? {
        guard let number = json["dtype"]?.integer, let sizes = json["sizes"]?.array else {
            throw Refusal(reason: "a tensor's description has no dtype or sizes")
        }
        guard sizes.count <= PyTorchLimits.maximumRank else {
            throw Refusal(
                reason: "a tensor has rank \(sizes.count), at most \(PyTorchLimits.maximumRank) is read")
        }
        let dimensions = try sizes.map(dimension)
        guard let type = elementType(number) else { return nil }
        do {
            _ = try Shape(dimensions.compactMap(\.value))
        } catch {
            throw Refusal(reason: error.description)
        }
        return PyTorchTensorMeta(elementType: type, dimensions: dimensions)
    }

    /// A SymInt: a number, or an expression in SymPy's words.
    static func dimension(_ json: JSON) throws(Refusal) -> PyTorchDimension {
        if let value = json["as_int"] { return .known(try integer(value)) }
        return .symbol(symbol(try name(json["as_expr"]?["expr_str"])))
    }

    static func known(_ json: JSON) throws(Refusal) -> Int {
        guard case .known(let value) = try dimension(json) else {
            throw Refusal(reason: "a weight has an extent that is no number")
        }
        return value
    }

    static func name(_ json: JSON?) throws(Refusal) -> String {
        guard let name = json?.string else {
            throw Refusal(reason: "a name is \(json?.kind ?? "missing")")
        }
        guard name.utf8.count <= PyTorchLimits.maximumNameByteCount else {
            throw Refusal(reason: "a name has \(name.utf8.count) bytes")
        }
        return name
    }

    /// `Symbol('s77', positive=True, integer=True)` is s77; any other expression stays as it is.
    private static func symbol(_ expression: String) -> String {
        let parts = expression.split(separator: "'", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "Symbol(", parts[2].allSatisfy({ $0 != "(" }) else {
            return expression
        }
        return String(parts[1])
    }

    private static func tensors(_ json: JSON) throws(Refusal) -> [String?] {
        try list(json).map { (element) throws(Refusal) in
            if let name = element["name"] { return try self.name(name) }
            guard let inner = element["as_tensor"] else { return nil }
            return try name(inner["name"])
        }
    }

    private static func symbolicInteger(_ json: JSON) throws(Refusal) -> PyTorchInteger {
        if let value = json["as_int"] { return .known(try integer(value)) }
        return .value(try name(json["as_name"]))
    }

    private static func list(_ json: JSON) throws(Refusal) -> [JSON] {
        guard let array = json.array else { throw Refusal(reason: "expected a list, got \(json.kind)") }
        return array
    }

    private static func integer(_ json: JSON) throws(Refusal) -> Int {
        guard let value = json.integer else { throw Refusal(reason: "expected an integer, got \(json.kind)") }
        return value
    }

    private static func real(_ json: JSON) throws(Refusal) -> Double {
        if let value = json.real { return value }
        switch json.string {
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        case "NaN": return .nan
        default: throw Refusal(reason: "expected a number, got \(json.kind)")
        }
    }
}
