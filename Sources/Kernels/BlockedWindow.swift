import CKernels

/// A window that slides over every channel of a blocked value for itself: what all tasks of it have in common.
package struct BlockedWindow: Sendable {
    /// Depth, height and width.
    private let axes: [WindowAxis]
    /// [blocks][channels of a group][taps][CK_BLOCK] of a convolution.
    private let weights: FloatMemory?
    private let groupChannels: Int
    private let kind: ck_window_kind

    /// The greatest distance between two places that a window reaches, in pixels of the input.
    private static let maximumReach = 1 << 52

    /// A convolution whose groups have so many input and as many output channels: a power of two below the floats of a vector.
    package init?(axes: [WindowAxis], weights: FloatMemory, groupChannels: Int) {
        let kind = groupChannels == 1 ? CK_WINDOW_WEIGHTED_SUM : CK_WINDOW_GROUPED_SUM
        self.init(kind, axes: axes, weights: weights, groupChannels: groupChannels)
    }

    /// A pool.
    package init?(_ kind: ck_window_kind, axes: [WindowAxis]) {
        self.init(kind, axes: axes, weights: nil, groupChannels: 1)
    }

    /// `given`: up to three axes, the last ones; `nil` when positions overflow.
    private init?(
        _ kind: ck_window_kind, axes given: [WindowAxis], weights: FloatMemory?, groupChannels: Int
    ) {
        guard given.count <= 3, given.allSatisfy(\.isAddressable) else { return nil }
        var axes = [WindowAxis](repeating: .whole(1), count: 3 - given.count) + given
        var reach = 1
        for axis in axes {
            let (first, tooLarge) = axis.output.multipliedReportingOverflow(by: axis.stride)
            let span = axis.input + axis.padBegin
            guard !tooLarge, first < Self.maximumReach, axis.kernel * axis.dilation < Self.maximumReach,
                span < Self.maximumReach
            else { return nil }
            let (product, overflow) = reach.multipliedReportingOverflow(
                by: first + span + axis.kernel * axis.dilation)
            guard !overflow, product < Self.maximumReach else { return nil }
            reach = product
        }
        if axes.allSatisfy({ $0.kernel == 1 && $0.stride == 1 && $0.padBegin == 0 && $0.input == $0.output })
        {
            axes = [.whole(1), .whole(1), .whole(axes.reduce(1) { $0 * $1.input })]
        }
        self.axes = axes
        self.weights = weights
        self.groupChannels = groupChannels
        self.kind = kind
    }

    /// The pixels of an output row.
    package var rowPixels: Int { axes[2].output }
    package var taps: Int { axes.reduce(1) { $0 * $1.kernel } }

    /// The window over channel block `block`; its values, rows and bounds are left to be set.
    package func task(block: Int) -> ck_blocked_window {
        func imported(_ axis: WindowAxis) -> ck_window_axis {
            ck_window_axis(
                input: axis.input, output: axis.output, kernel: axis.kernel, stride: axis.stride,
                dilation: axis.dilation, padBegin: axis.padBegin)
        }
        var window = ck_blocked_window()
        window.kind = kind
        window.axes = (imported(axes[0]), imported(axes[1]), imported(axes[2]))
        window.groupChannels = groupChannels
        if let weights {
            window.weights = UnsafePointer(weights.pointer + block * groupChannels * taps * Int(CK_BLOCK))
        }
        (window.lower, window.upper) = (-.infinity, .infinity)
        return window
    }
}
