import CKernels

/// A convolution from blocked to blocked for concrete shapes: what every task of it has in common.
package final class BlockedConvolution: @unchecked Sendable {
    // Written in `init` alone.
    private let common: ck_blocked_convolution
    private let taps: UnsafeMutablePointer<ck_tap>
    private let weights: BlockedWeights

    /// A value as the kernels see it.
    package struct Side {
        /// The floats from one item, and from one channel block, to the next.
        package let itemStride: Int
        package let blockStride: Int

        package init(itemStride: Int, blockStride: Int) {
            self.itemStride = itemStride
            self.blockStride = blockStride
        }
    }

    /// `axes`: depth, height and width; groups begin at channel blocks, or lie side by side in one. `nil` when positions overflow.
    package convenience init?(weights: BlockedWeights, axes given: [WindowAxis], source: Side, output: Side) {
        guard given.count <= 3, given.allSatisfy(\.isAddressable),
            given.reduce(1, { $0 * $1.kernel }) == weights.taps
        else { return nil }
        var axes = [WindowAxis](repeating: .whole(1), count: 3 - given.count) + given
        if axes.allSatisfy(\.isIdentity) {
            axes = [.whole(1), .whole(1), .whole(axes.reduce(1) { $0 * $1.input })]
        }
        var found: [ck_tap] = []
        for z in 0..<axes[0].kernel {
            for y in 0..<axes[1].kernel {
                for x in 0..<axes[2].kernel {
                    let position = [z * axes[0].dilation, y * axes[1].dilation, x * axes[2].dilation]
                    var offset = 0
                    for axis in 0..<3 {
                        let (product, overflow) = offset.multipliedReportingOverflow(by: axes[axis].input)
                        guard !overflow, product < 1 << 58 else { return nil }
                        offset = product + position[axis]
                    }
                    found.append(
                        ck_tap(
                            position: (position[0], position[1], position[2]), offset: offset * Int(CK_BLOCK))
                    )
                }
            }
        }
        var c = ck_blocked_convolution()
        c.sourceItemStride = source.itemStride
        c.sourceBlockStride = source.blockStride
        c.inputChannels = weights.inputChannels
        c.extents = (axes[0].input, axes[1].input, axes[2].input)
        c.outputExtents = (axes[0].output, axes[1].output, axes[2].output)
        c.strides = (axes[0].stride, axes[1].stride, axes[2].stride)
        c.pads = (axes[0].padBegin, axes[1].padBegin, axes[2].padBegin)
        c.reach = found[found.count - 1].position
        self.init(c, taps: found, weights: weights, output: output)
    }

    /// A convolution from plain planes as `window` reads them; weights have one input channel and all taps.
    package convenience init(weights: BlockedWeights, window: PlanarWindow, output: Side) {
        let axes = window.axes
        var c = ck_blocked_convolution()
        c.sourceItemStride = window.isDirect ? window.inputCount : 0
        c.inputChannels = 1
        c.extents = (1, window.rowCount, window.rowLength)
        c.outputExtents = (axes[0].output, axes[1].output, axes[2].output)
        c.strides = (axes[0].stride, axes[1].stride, axes[2].stride)
        let taps = window.tapOffsets.map { ck_tap(position: (0, 0, 0), offset: $0) }
        self.init(c, taps: taps, weights: weights, output: output)
    }

    /// Completes a description of the source and the window.
    private init(
        _ window: ck_blocked_convolution, taps found: [ck_tap], weights: BlockedWeights, output: Side
    ) {
        precondition(found.count == weights.taps, "\(found.count) taps for weights of \(weights.taps)")
        taps = .allocate(capacity: found.count)
        taps.initialize(from: found, count: found.count)
        self.weights = weights
        var c = window
        c.taps = UnsafePointer(taps)
        c.tapCount = found.count
        c.panelStride = weights.panelStride
        c.outputChannels = weights.outputChannels
        c.outputItemStride = output.itemStride
        c.outputBlockStride = output.blockStride
        (c.lower, c.upper) = (-.infinity, .infinity)
        common = c
    }

    deinit { taps.deallocate() }

    /// Where a group begins in the source and in the output, in floats.
    package func offsets(group: Int) -> (source: Int, output: Int) {
        func offset(_ channel: Int, _ blockStride: Int) -> Int {
            channel / Int(CK_BLOCK) * blockStride + channel % Int(CK_BLOCK)
        }
        return (
            offset(group * weights.inputChannels, common.sourceBlockStride),
            offset(group * weights.outputChannels, common.outputBlockStride)
        )
    }

    /// A task of group `group`: its places, pixels, panels and bounds are left to be set.
    package func task(group: Int) -> ck_blocked_convolution {
        var c = common
        let panels = group * weights.panelCount
        c.weights = UnsafePointer(weights.memory.pointer + panels * weights.panelStride)
        c.bias = UnsafePointer(weights.bias.pointer + panels * weights.panelChannels)
        return c
    }
}
