/// One entry of a map of parameters.
struct InferParameter {
    let name: String
    /// `nil` for a value that is no integer.
    private let value: Int?

    /// Reads an entry; `nil` where its name is not one of those that mean something here.
    init?(_ entry: ProtobufReader) throws(RequestError) {
        var reader = entry
        var name = ""
        var value: Int?
        while let field = try reader.next() {
            switch field.number {
            case 1: name = try reader.string(field, "key")
            case 2: value = try Self.integer(reader.nested(try reader.range(field, "value")))
            default: break
            }
        }
        guard Self.known.contains(name) else { return nil }
        self.name = name
        self.value = value
    }

    private static let known = [InferFields.timeout, InferFields.priority, InferFields.classification]

    func integer() throws(RequestError) -> Int {
        guard let value else {
            throw .value(key: name, of: "the parameters", expected: "an integer")
        }
        return value
    }

    /// `int64_param` or `uint64_param`.
    private static func integer(_ message: ProtobufReader) throws(RequestError) -> Int? {
        var reader = message
        var integer: Int?
        while let field = try reader.next() {
            switch field.number {
            case 2: integer = Int(Int64(bitPattern: try reader.number(field, "int64_param")))
            case 5: integer = Int(exactly: try reader.number(field, "uint64_param"))
            default: integer = nil
            }
        }
        return integer
    }
}
