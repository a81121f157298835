import CKernels
import Tensors

/// The weights of a convolution as the blocked kernels read them: a panel of output channels after the other, group by group.
package final class BlockedWeights: Sendable {
    package let groups: Int
    /// In each group.
    package let inputChannels: Int
    package let outputChannels: Int
    package let taps: Int
    /// The output channels of a panel.
    package let panelChannels: Int
    package let memory: FloatMemory
    /// [groups · panels · panelChannels]
    package let bias: FloatMemory

    /// Packs [groups · outputs, inputs, taps], which need not be aligned.
    package init(
        _ bytes: UnsafeRawBufferPointer, groups: Int, inputChannels: Int, outputChannels: Int, taps: Int,
        bias: [Float]?, kernels: KernelTable, packing: PanelPacking = .callerOnly
    ) {
        self.groups = groups
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        self.taps = taps
        panelChannels = kernels.functions.pointee.panelChannels
        let panels = (outputChannels + panelChannels - 1) / panelChannels
        let size = outputChannels * inputChannels * taps
        precondition(groups * size * MemoryLayout<Float>.stride <= bytes.count, "weights behind their bytes")
        let panelStride = panelChannels * inputChannels * taps
        let memory = FloatMemory(count: groups * panels * panelStride)
        self.memory = memory
        self.bias = FloatMemory(count: groups * panels * panelChannels)
        // Read alone, until all threads have ended.
        nonisolated(unsafe) let source = bytes.baseAddress!
        let width = panelChannels
        for group in 0..<groups {
            _ = packing.run(panelCount: panels, floatCount: size) { range in
                let first = range.lowerBound * width
                ck_pack_blocked(
                    memory.pointer + (group * panels + range.lowerBound) * panelStride,
                    source + (group * size + first * inputChannels * taps) * MemoryLayout<Float>.stride,
                    min(outputChannels, range.upperBound * width) - first, inputChannels, taps, width)
                return true
            }
            if let bias {
                for channel in 0..<outputChannels {
                    self.bias.pointer[group * panels * panelChannels + channel] =
                        bias[group * outputChannels + channel]
                }
            }
        }
    }

    /// The panels of a group.
    package var panelCount: Int { (outputChannels + panelChannels - 1) / panelChannels }
    /// The floats from one panel to the next.
    package var panelStride: Int { panelChannels * inputChannels * taps }
}
