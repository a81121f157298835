import Glibc
import Logging

/// Writes each event as one line of JSON to standard error.
package struct JSONLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel = Logger.Level.info
    private let label: String
    private let write: @Sendable ([UInt8]) -> Void

    /// `write` gets whole lines, from any thread.
    package init(label: String, write: @escaping @Sendable ([UInt8]) -> Void = Self.writeToStandardError) {
        self.label = label
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        var writer = JSONWriter()
        writer.object { writer in
            for (key, value) in [
                ("time", Self.now()), ("level", event.level.rawValue), ("logger", label),
                ("message", event.message.description),
            ] {
                writer.key(key)
                writer.string(value)
            }
            for (key, value) in all.sorted(by: { $0.key < $1.key }) {
                writer.key(key)
                writer.string(value.description)
            }
        }
        write(writer.bytes + [UInt8(ascii: "\n")])
    }

    /// RFC 3339, UTC, milliseconds.
    private static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        let padded = { (value: Int, width: Int) in
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)]
        let clock = [Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)]
        return date.map { padded($0, 2) }.joined(separator: "-") + "T"
            + clock.map { padded($0, 2) }.joined(separator: ":") + "."
            + padded(time.tv_nsec / 1_000_000, 3) + "Z"
    }

    /// In one piece, so that lines of several threads do not mix.
    package static func writeToStandardError(_ line: [UInt8]) {
        _ = line.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
