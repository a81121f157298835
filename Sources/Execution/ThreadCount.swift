import CLinux

/// How many threads a process should run: the processors that it may use, and what its control group is given of them.
package enum ThreadCount {
    /// At least 1.
    package static var available: Int {
        let processors = Int(clinux_usable_processor_count())
        return max(1, min(processors, quota(readFile: ControlGroups.text) ?? processors))
    }

    /// The processors that a control group's quota pays for, rounded up; `nil` without a quota.
    ///
    /// `readFile` is given paths and returns the text of the file, if there is one.
    package static func quota(readFile: (String) -> String?) -> Int? {
        ControlGroups.least("cpu", readFile: readFile) { folder, isUnified in
            isUnified ? unified(folder, readFile) : legacy(folder, readFile)
        }
    }

    private static func unified(_ folder: String, _ readFile: (String) -> String?) -> Int? {
        let fields = readFile(folder + "/cpu.max")?.split(whereSeparator: \.isWhitespace) ?? []
        guard fields.count == 2, let quota = Int(fields[0]), let period = Int(fields[1]) else { return nil }
        return processors(quota, period)
    }

    private static func legacy(_ folder: String, _ readFile: (String) -> String?) -> Int? {
        func number(_ name: String) -> Int? {
            readFile(folder + "/" + name)?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
        }
        guard let quota = number("cpu.cfs_quota_us"), let period = number("cpu.cfs_period_us") else {
            return nil
        }
        return processors(quota, period)
    }

    private static func processors(_ quota: Int, _ period: Int) -> Int? {
        guard quota > 0, period > 0 else { return nil }
        return quota / period + (quota.isMultiple(of: period) ? 0 : 1)
    }
}
