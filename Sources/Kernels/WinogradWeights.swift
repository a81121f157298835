import CKernels

/// The weights of a convolution of 3×3 windows as Winograd's kernels read them: G·g·Gᵀ for every pair of channels,
/// [positions][panels][input channels][panelChannels], computed in Double and rounded once.
package final class WinogradWeights: Sendable {
    package let tile: WinogradTile
    package let inputChannels: Int
    package let outputChannels: Int
    /// The output channels of a panel.
    package let panelChannels: Int
    package let memory: FloatMemory
    /// [panels · panelChannels]
    package let bias: FloatMemory

    /// Transforms [outputs, inputs, 3, 3], which need not be aligned; `nil` when a result
    /// is not finite.
    package init?(
        _ bytes: UnsafeRawBufferPointer, tile: WinogradTile, inputChannels: Int, outputChannels: Int,
        bias: [Float]?, kernels: KernelTable, packing: PanelPacking = .callerOnly
    ) {
        precondition(
            outputChannels * inputChannels * 9 * MemoryLayout<Float>.stride <= bytes.count,
            "weights behind their bytes")
        self.tile = tile
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        panelChannels = kernels.functions.pointee.panelChannels
        let paddedOutputs = (outputChannels + panelChannels - 1) / panelChannels * panelChannels
        let memory = FloatMemory(count: tile.positions * paddedOutputs * inputChannels)
        self.memory = memory
        self.bias = FloatMemory(count: paddedOutputs)
        for (channel, value) in (bias ?? []).enumerated() { self.bias.pointer[channel] = value }
        // Read alone, until all threads have ended.
        nonisolated(unsafe) let source = bytes.baseAddress!
        let width = panelChannels
        let isFinite = packing.run(panelCount: paddedOutputs / width, floatCount: memory.count) { range in
            ck_pack_winograd(
                memory.pointer, source, outputChannels, inputChannels, tile.extent, tile.stride, width,
                range.lowerBound, range.count)
        }
        guard isFinite else { return nil }
    }

    /// The panels of one position.
    package var panelCount: Int { (outputChannels + panelChannels - 1) / panelChannels }
    /// The floats from one panel to the next.
    package var panelStride: Int { panelChannels * inputChannels }
    /// The floats from one position to the next.
    package var positionStride: Int { panelCount * panelStride }
    package var byteCount: Int { memory.count * MemoryLayout<Float>.stride }
}
