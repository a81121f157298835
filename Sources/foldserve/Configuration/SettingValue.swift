/// A value in a configuration file; variables and flags are text.
package enum SettingValue: Equatable, CustomStringConvertible {
    case text(String)
    case number(Double)
    case flag(Bool)
    case null
    /// A list, or an object where none belongs.
    case other

    var integer: Int? {
        switch self {
        case .number(let number): Int(exactly: number)
        case .text(let text): Int(text)
        default: nil
        }
    }

    var real: Double? {
        switch self {
        case .number(let number): number
        case .text(let text): Double(text)
        default: nil
        }
    }

    var flag: Bool? {
        switch self {
        case .flag(let flag): flag
        case .text("true"), .text("1"): true
        case .text("false"), .text("0"): false
        default: nil
        }
    }

    package var description: String {
        switch self {
        case .text(let text): "'\(text)'"
        case .number(let number): Int(exactly: number).map(String.init) ?? String(number)
        case .flag(let flag): String(flag)
        case .null: "null"
        case .other: "a list or an object"
        }
    }
}
