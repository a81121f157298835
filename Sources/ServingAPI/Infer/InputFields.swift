import ModelServing
import Tensors

/// One input of a request: its keys come in any order, and its data is read once they are known.
struct InputFields {
    let name: String
    let port: ModelInterface.Port
    let shape: Shape
    /// The elements, where the JSON has them.
    let tensor: Tensor?
    /// How many bytes follow the JSON, where they are there.
    let binaryByteCount: Int?

    /// `place` is where the input stands in the request.
    init(_ reader: inout JSONReader, _ assembly: InferAssembly, place: String) throws(RequestError) {
        var seen = SeenKeys(owner: place)
        var name: String?
        var datatype: String?
        var extents: [Int]?
        var binaryByteCount: Int?
        var checked: (port: ModelInterface.Port, shape: Shape)?
        var tensor: Tensor?
        /// Where data stands that came before what is needed to read it.
        var postponed: JSONReader?
        try reader.object { (reader, key) throws(RequestError) in
            switch key {
            case "name":
                try seen.note(key)
                name = try reader.string()
            case "datatype":
                try seen.note(key)
                datatype = try reader.string()
            case "shape":
                try seen.note(key)
                extents = try Self.readShape(&reader)
            case "parameters":
                try seen.note(key)
                if try !reader.skipNull() { binaryByteCount = try Self.readParameters(&reader) }
            case "data":
                try seen.note(key)
                guard try !reader.skipNull() else { return }
                if let name, let datatype, let extents {
                    let found = try assembly.checked(name, datatype: datatype, shape: extents)
                    checked = found
                    tensor = try TensorJSON.read(
                        &reader, name: name, elementType: found.0.elementType, shape: found.1)
                } else {
                    postponed = reader
                    try reader.skipValue()
                }
            default: try reader.skipValue()
            }
        }
        guard let name else { throw .missingKey("name", of: place) }
        guard let datatype else { throw .missingKey("datatype", of: "input '\(name)'") }
        guard let extents else { throw .missingKey("shape", of: "input '\(name)'") }
        if checked == nil { checked = try assembly.checked(name, datatype: datatype, shape: extents) }
        guard let (port, shape) = checked else { preconditionFailure("'\(name)' was just checked") }
        if var postponed {
            tensor = try TensorJSON.read(
                &postponed, name: name, elementType: port.elementType, shape: shape)
        }
        self.name = name
        self.port = port
        self.shape = shape
        self.tensor = tensor
        self.binaryByteCount = binaryByteCount
    }

    private static func readShape(_ reader: inout JSONReader) throws(RequestError) -> [Int] {
        var extents: [Int] = []
        try reader.array { (reader) throws(RequestError) in
            guard extents.count < reader.limits.maximumRank else {
                throw .limit("axes of a tensor", maximum: reader.limits.maximumRank)
            }
            extents.append(try reader.integer())
        }
        return extents
    }

    private static func readParameters(_ reader: inout JSONReader) throws(RequestError) -> Int? {
        var byteCount: Int?
        try reader.object { (reader, key) throws(RequestError) in
            guard key == InferFields.binaryDataSize else { return try reader.skipValue() }
            _ = reader.peek()
            let start = reader
            let value = try reader.integer()
            guard value >= 0 else { throw start.mismatch(expected: "0 or more") }
            byteCount = value
        }
        return byteCount
    }
}
