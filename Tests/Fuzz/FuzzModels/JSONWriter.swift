import ModelFormats

/// JSON text of a value, the keys of objects in order.
package enum JSONWriter {
    package static func text(_ json: JSON) -> [UInt8] {
        var text: [UInt8] = []
        append(json, to: &text)
        return text
    }

    private static func append(_ json: JSON, to text: inout [UInt8]) {
        switch json {
        case .null: text += Array("null".utf8)
        case .boolean(let value): text += Array((value ? "true" : "false").utf8)
        case .integer(let value): text += Array(String(value).utf8)
        case .real(let value):
            let special = value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
            text += Array((value.isFinite ? value.description : special).utf8)
        case .string(let value): append(value, to: &text)
        case .array(let elements):
            text.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                append(element, to: &text)
            }
            text.append(UInt8(ascii: "]"))
        case .object(let members):
            text.append(UInt8(ascii: "{"))
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                append(member.key, to: &text)
                text.append(UInt8(ascii: ":"))
                append(member.value, to: &text)
            }
            text.append(UInt8(ascii: "}"))
        }
    }

    private static func append(_ string: String, to text: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        text.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                text += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}
