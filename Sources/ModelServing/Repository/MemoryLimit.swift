import Execution

/// How much memory this process may still take: what its control groups, of either version, and the machine leave it.
package enum MemoryLimit {
    /// `nil` where nothing says.
    package static var available: Int? { available(readFile: ControlGroups.text) }

    /// `readFile` is given paths and returns the text of the file, if there is one.
    package static func available(readFile: (String) -> String?) -> Int? {
        let left = ControlGroups.least("memory", readFile: readFile) { folder, isUnified in
            group(folder, isUnified: isUnified, readFile)
        }
        guard let machine = machine(readFile) else { return left }
        return left.map { min($0, machine) } ?? machine
    }

    /// What a group has left: pages of files are given back when others need them.
    private static func group(
        _ folder: String, isUnified: Bool, _ readFile: (String) -> String?
    ) -> Int? {
        let names =
            isUnified
            ? ("memory.max", "memory.current", ["active_file", "inactive_file"])
            : (
                "memory.limit_in_bytes", "memory.usage_in_bytes",
                ["total_active_file", "total_inactive_file"]
            )
        // `max`, or a number past any machine, stands for no limit.
        guard let limit = number(readFile(folder + "/" + names.0)), limit < 1 << 60,
            let used = number(readFile(folder + "/" + names.1))
        else { return nil }
        let statistics = readFile(folder + "/memory.stat") ?? ""
        let cached = names.2.reduce(0) { $0 + min(field($1, of: statistics) ?? 0, 1 << 60) }
        return max(0, limit - max(0, used - cached))
    }

    private static func machine(_ readFile: (String) -> String?) -> Int? {
        guard let kibibytes = field("MemAvailable:", of: readFile("/proc/meminfo") ?? "") else { return nil }
        return kibibytes.multipliedReportingOverflow(by: 1024).partialValue
    }

    private static func number(_ text: String?) -> Int? {
        text?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
    }

    /// The number behind a name at the beginning of a line.
    private static func field(_ name: String, of text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.count >= 2, words[0] == name { return number(String(words[1])) }
        }
        return nil
    }
}
