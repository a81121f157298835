import CLinux
import Glibc

/// How many threads a process should run: the processors that it may use, and what its control group is given of them.
package enum ThreadCount {
    /// At least 1.
    package static var available: Int {
        let processors = Int(clinux_usable_processor_count())
        return max(1, min(processors, quota(readFile: text) ?? processors))
    }

    /// The processors that a control group's quota pays for, rounded up; `nil` without a quota.
    ///
    /// `readFile` is given paths and returns the text of the file, if there is one.
    package static func quota(readFile: (String) -> String?) -> Int? {
        var least: Int?
        for line in readFile("/proc/self/cgroup")?.split(separator: "\n") ?? [] {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isUnified = fields[0] == "0" && fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains("cpu") else { continue }
            let root = isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu"
            // A group above may be given less. Inside a container the path may not be there at all: the root is.
            var path = fields[2] == "/" ? "" : String(fields[2])
            while true {
                let found = isUnified ? unified(root + path, readFile) : legacy(root + path, readFile)
                if let found { least = min(least ?? found, found) }
                guard let slash = path.lastIndex(of: "/") else { break }
                path = String(path[..<slash])
            }
        }
        return least
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

    /// The most bytes that are read of a file.
    private static let maximumByteCount = 1 << 16

    private static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: maximumByteCount)
        let count = read(descriptor, &bytes, bytes.count)
        return count >= 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
