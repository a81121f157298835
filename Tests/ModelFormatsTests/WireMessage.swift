import Glibc

/// Bytes of a protobuf message, written field by field: what a test says is what the file holds, damage included.
struct WireMessage {
    var bytes: [UInt8] = []

    init(_ fields: WireMessage...) { bytes = fields.flatMap(\.bytes) }

    init(bytes: [UInt8]) { self.bytes = bytes }

    static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func number(_ field: Int, _ value: Int64) -> WireMessage {
        WireMessage(bytes: varint(UInt64(field) << 3) + varint(UInt64(bitPattern: value)))
    }

    static func data(_ field: Int, _ content: [UInt8]) -> WireMessage {
        WireMessage(bytes: varint(UInt64(field) << 3 | 2) + varint(UInt64(content.count)) + content)
    }

    static func text(_ field: Int, _ text: String) -> WireMessage { data(field, Array(text.utf8)) }

    static func message(_ field: Int, _ fields: WireMessage...) -> WireMessage {
        data(field, fields.flatMap(\.bytes))
    }

    static func packed(_ field: Int, _ values: [Int64]) -> WireMessage {
        data(field, values.flatMap { varint(UInt64(bitPattern: $0)) })
    }

    static func memory<Element>(of values: [Element]) -> [UInt8] {
        values.withUnsafeBytes { Array($0) }
    }
}

/// The messages of ONNX models, with the fields that tests need.
extension WireMessage {
    /// A model around a graph: IR version 8, operator set 17.
    static func model(_ graph: [WireMessage], irVersion: Int64 = 8, opset: Int64 = 17) -> WireMessage {
        WireMessage(
            number(1, irVersion), message(8, number(2, opset)),
            data(7, text(2, "g").bytes + graph.flatMap(\.bytes)))
    }

    /// A model of one initializer, `w`, that is also the output.
    static func model(initializer: WireMessage...) -> WireMessage {
        model([data(5, text(8, "w").bytes + initializer.flatMap(\.bytes)), output("w")])
    }

    static func node(
        _ type: String, inputs: [String], outputs: [String], name: String = "", domain: String = "",
        attributes: [WireMessage] = []
    ) -> WireMessage {
        data(
            1,
            inputs.flatMap { text(1, $0).bytes } + outputs.flatMap { text(2, $0).bytes }
                + (name.isEmpty ? [] : text(3, name).bytes) + text(4, type).bytes
                + attributes.flatMap { data(5, $0.bytes).bytes }
                + (domain.isEmpty ? [] : text(7, domain).bytes))
    }

    static func attribute(_ name: String, type: Int64, _ fields: WireMessage...) -> WireMessage {
        WireMessage(bytes: text(1, name).bytes + number(20, type).bytes + fields.flatMap(\.bytes))
    }

    static func initializer(_ name: String, dims: [Int64], floats: [Float]) -> WireMessage {
        message(
            5, WireMessage(bytes: dims.flatMap { number(1, $0).bytes }), number(2, 1), text(8, name),
            data(9, memory(of: floats)))
    }

    static func input(_ name: String, type: Int64 = 1, dims: [WireMessage]? = nil) -> WireMessage {
        port(11, name, type, dims)
    }

    static func output(_ name: String, type: Int64 = 1, dims: [WireMessage]? = nil) -> WireMessage {
        port(12, name, type, dims)
    }

    private static func port(_ field: Int, _ name: String, _ type: Int64, _ dims: [WireMessage]?)
        -> WireMessage
    {
        let shape = dims.map { data(2, $0.flatMap { data(1, $0.bytes).bytes }).bytes } ?? []
        return message(field, text(1, name), message(2, data(1, number(1, type).bytes + shape)))
    }

    /// An attribute that holds a graph of these fields.
    static func graph(_ name: String, _ fields: WireMessage...) -> WireMessage {
        attribute(name, type: 5, data(6, text(2, "inner").bytes + fields.flatMap(\.bytes)))
    }

    /// A function of the domain `own`, as a field of a model.
    static func function(
        _ name: String, inputs: [String], outputs: [String], nodes: [WireMessage], overload: String = "",
        opset: Int64? = nil, defaults: [WireMessage] = []
    ) -> WireMessage {
        data(
            25,
            text(1, name).bytes + inputs.flatMap { text(4, $0).bytes } + outputs.flatMap { text(5, $0).bytes }
                // A node is field 1 of a graph and field 7 of a function: the tag is one byte.
                + nodes.flatMap { [UInt8(7 << 3 | 2)] + $0.bytes.dropFirst() }
                + (opset.map { message(9, number(2, $0)).bytes } ?? []) + text(10, "own").bytes
                + defaults.flatMap { data(11, $0.bytes).bytes }
                + (overload.isEmpty ? [] : text(13, overload).bytes))
    }

    /// An attribute whose value is that of the function's attribute called `reference`.
    static func reference(_ name: String, to reference: String, type: Int64) -> WireMessage {
        attribute(name, type: type, text(21, reference))
    }

    static func real(_ name: String, _ value: Float) -> WireMessage {
        attribute(name, type: 1, WireMessage(bytes: [0x15] + memory(of: [value])))
    }
}
