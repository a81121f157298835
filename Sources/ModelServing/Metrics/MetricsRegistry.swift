import Threads

/// Everything that is counted, written in Prometheus' text format 0.0.4.
///
/// Families are added at start; their numbers change without any lock of the registry.
package final class MetricsRegistry: Sendable {
    private let families: [any MetricFamily]

    package init(_ families: [any MetricFamily]) { self.families = families }

    /// The media type of `exposition`.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package func exposition() -> [UInt8] {
        var text = MetricText()
        for family in families { family.write(to: &text) }
        return text.bytes
    }
}

/// One name with its help, its type and a line for each set of labels.
package protocol MetricFamily: Sendable {
    func write(to text: inout MetricText)
}

/// Appends lines of the text format.
package struct MetricText {
    package private(set) var bytes: [UInt8] = []

    package mutating func header(name: String, help: String, type: String) {
        append("# HELP \(name) ")
        for byte in help.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            default: bytes.append(byte)
            }
        }
        append("\n# TYPE \(name) \(type)\n")
    }

    package mutating func sample(_ name: String, _ labels: [(name: String, value: String)], _ value: Double) {
        append(name)
        if !labels.isEmpty {
            append("{")
            for (index, label) in labels.enumerated() {
                append(index == 0 ? "" : ",")
                append(label.name + "=\"")
                appendEscaped(label.value)
                append("\"")
            }
            append("}")
        }
        append(" \(Self.number(value))\n")
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map(String.init) ?? value.description
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func appendEscaped(_ value: String) {
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\n"): append("\\n")
            default: bytes.append(byte)
            }
        }
    }
}
