import Glibc

/// The figures of this process, under Prometheus' standard names. Source: proc(5).
package struct ProcessMetrics: MetricFamily {
    private let startSeconds: Double

    package init() { startSeconds = Self.startTimeSeconds() ?? 0 }

    package func write(to text: inout MetricText) {
        let fields = Self.statusFields()
        let field = { (number: Int) -> Double in
            // Field numbers as in proc(5), where the third is the first after the command's name.
            fields.indices.contains(number - 3) ? Double(fields[number - 3]) ?? 0 : 0
        }
        Self.write(
            "process_cpu_seconds_total", "User and system CPU time.", "counter", Self.cpuSeconds(), &text)
        Self.write(
            "process_resident_memory_bytes", "Resident memory.", "gauge",
            field(24) * Double(sysconf(Int32(_SC_PAGESIZE))), &text)
        Self.write(
            "process_open_fds", "Open file descriptors.", "gauge", Double(Self.openDescriptors()), &text)
        Self.write(
            "process_start_time_seconds", "Start of the process, seconds since 1970.", "gauge", startSeconds,
            &text)
        Self.write("process_threads", "Threads of the process.", "gauge", field(20), &text)
    }

    private static func write(
        _ name: String, _ help: String, _ type: String, _ value: Double, _ text: inout MetricText
    ) {
        text.header(name: name, help: help, type: type)
        text.sample(name, [], value)
    }

    private static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// /proc/self/stat after the command's name, which may itself hold spaces and parentheses.
    private static func statusFields() -> [Substring] {
        guard let text = read("/proc/self/stat"), let end = text.lastIndex(of: ")") else { return [] }
        return text[text.index(after: end)...].split(separator: " ")
    }

    private static func startTimeSeconds() -> Double? {
        let fields = statusFields()
        guard fields.count > 19, let ticks = Double(fields[19]), let status = read("/proc/stat"),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let boot = Double(line.dropFirst("btime ".count))
        else { return nil }
        return boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func openDescriptors() -> Int {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        // The folder that is being read is one of them.
        return count - 1
    }

    private static let maximumByteCount = 1 << 16

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: maximumByteCount)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
