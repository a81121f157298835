import Execution

/// What each step of a run takes, beside what this machine can do at best.
struct ProfileReport: Encodable {
    struct Step: Encodable {
        let nodes: [String]
        let operators: [String]
        let kernel: String
        let layout: String
        /// Whether each item of the batch went through this step, and those beside it, on one thread.
        let itemByItem: Bool
        let microseconds: Double
        /// Of all steps.
        let share: Double
        /// Two operations for a multiply-add of a product or a convolution, one for an element of anything else.
        let gigaflopsPerSecond: Double
        let shareOfPeak: Double
        /// What is read and written once: inputs, weights and outputs.
        let gigabytesPerSecond: Double
    }

    /// Of the threads of the run together, measured in registers alone.
    let peakGigaflopsPerSecond: Double
    let totalMicroseconds: Double
    let totalGigaflopsPerSecond: Double
    /// In graph order; steps that nothing runs for are left out.
    let steps: [Step]

    init(_ profile: [StepProfile], peak: Double) {
        let total = profile.reduce(0) { $0 + $1.nanoseconds }
        let operations = profile.reduce(0) { $0 + ($1.work?.operationCount ?? 0) }
        peakGigaflopsPerSecond = peak
        totalMicroseconds = total / 1_000
        totalGigaflopsPerSecond = operations / max(1, total)
        steps = profile.filter { $0.nanoseconds > 0 || $0.work != nil }.map { entry in
            let time = max(1, entry.nanoseconds)
            let rate = (entry.work?.operationCount ?? 0) / time
            return Step(
                nodes: entry.step.nodes, operators: entry.step.operators, kernel: entry.step.kernel,
                layout: entry.step.layout.rawValue, itemByItem: entry.isItemwise,
                microseconds: entry.nanoseconds / 1_000,
                share: entry.nanoseconds / max(1, total), gigaflopsPerSecond: rate,
                shareOfPeak: rate / max(1, peak),
                gigabytesPerSecond: (entry.work?.byteCount ?? 0) / time)
        }
    }

    var text: String {
        var lines = ["      µs   share  GFLOP/s  of peak   GB/s  layout   step"]
        for step in steps {
            lines.append(
                [
                    Self.column(step.microseconds, 1, 8), Self.column(step.share * 100, 1, 5) + " %",
                    Self.column(step.gigaflopsPerSecond, 1, 7),
                    Self.column(step.shareOfPeak * 100, 0, 5) + " %",
                    Self.column(step.gigabytesPerSecond, 1, 5),
                    step.layout + String(repeating: " ", count: max(0, 7 - step.layout.count)),
                    step.operators.joined(separator: "+") + " by \(step.kernel)"
                        + (step.itemByItem ? ", item by item" : "") + ", \(step.nodes.last ?? "")",
                ].joined(separator: "  "))
        }
        let share = totalGigaflopsPerSecond / max(1, peakGigaflopsPerSecond) * 100
        lines.append(
            [
                Self.column(totalMicroseconds, 1, 8), "  100 %", Self.column(totalGigaflopsPerSecond, 1, 7),
                Self.column(share, 0, 5) + " %",
                "                total, of a measured peak of "
                    + Self.column(peakGigaflopsPerSecond, 0, 0) + " GFLOP/s",
            ].joined(separator: "  "))
        return lines.joined(separator: "\n")
    }

    /// `value` with so many decimals, in so many places at least.
    private static func column(_ value: Double, _ decimals: Int, _ width: Int) -> String {
        guard value.magnitude < 1e12 else { return "\(value)" }
        var text: String
        if decimals == 0 {
            text = "\(Int(value.rounded()))"
        } else {
            let tenths = Int((value * 10).rounded())
            text = "\(tenths / 10).\(abs(tenths % 10))"
        }
        while text.count < width { text = " " + text }
        return text
    }
}
