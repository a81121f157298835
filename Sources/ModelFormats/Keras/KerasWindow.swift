import Graph

/// Where a kernel or a pool is laid on its input.
///
/// Keras's "same" makes ⌈D/stride⌉ positions and pads what they need, the odd one at the end: that depends on the extents
/// unless the stride is 1. "causal" pads before the first position alone.
struct KerasWindow {
    private let kernel: [Int]
    private let strides: [Int]
    private let dilations: [Int]
    private let padding: String

    init(_ layer: KerasLayer, kernel: [Int], strides: [Int], dilations: [Int]) throws(KerasRefusal) {
        padding = layer.text("padding", default: "valid")
        guard ["valid", "same", "causal"].contains(padding) else {
            throw KerasRefusal("its padding '\(padding)' is not supported")
        }
        (self.kernel, self.strides, self.dilations) = (kernel, strides, dilations)
    }

    func attributes(
        _ input: KerasValue, _ builder: inout KerasGraphBuilder, _ isFirst: Bool
    ) throws(KerasRefusal) -> [String: Attribute] {
        let dimensions = try builder.dimensions(input)
        guard dimensions.count == kernel.count + 2 else {
            throw KerasRefusal("its input has \(dimensions.count) dimensions, expected \(kernel.count + 2)")
        }
        var attributes: [String: Attribute] = [
            "kernel_shape": .integers(kernel.map(Int64.init)), "strides": .integers(strides.map(Int64.init)),
        ]
        if dilations.contains(where: { $0 > 1 }) {
            attributes["dilations"] = .integers(dilations.map(Int64.init))
        }
        var pads: [(Int, Int)] = []
        for axis in kernel.indices {
            guard let pad = try pad(axis, dimensions[axis + (isFirst ? 2 : 1)]) else {
                attributes["auto_pad"] = .string("SAME_UPPER")
                return attributes
            }
            pads.append(pad)
        }
        attributes["pads"] = .integers((pads.map(\.0) + pads.map(\.1)).map(Int64.init))
        return attributes
    }

    /// `nil`: they depend on an extent that is not known.
    private func pad(_ axis: Int, _ dimension: Dimension) throws(KerasRefusal) -> (Int, Int)? {
        let (steps, overflow) = (kernel[axis] - 1).multipliedReportingOverflow(by: dilations[axis])
        guard kernel[axis] > 0, !overflow, steps < KerasLimits.maximumExtent else {
            throw KerasRefusal("its kernel is too large")
        }
        switch padding {
        case "same":
            var total = steps
            if strides[axis] > 1 {
                guard let extent = dimension.value else { return nil }
                let rest = extent % strides[axis]
                total = max(0, steps + 1 - (rest == 0 ? strides[axis] : rest))
            }
            return (total / 2, total - total / 2)
        case "causal": return (steps, 0)
        default: return (0, 0)
        }
    }
}
