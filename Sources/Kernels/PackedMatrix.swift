import CKernels
import Tensors

/// One side of a matrix product in the order in which the kernels read it: panels of `width` lines, [panel][depth][width].
///
/// A line is a row of the left side or a column of the right side. Lines that fill up the last panel are zero. Several
/// matrices of one size (the groups of a convolution, the batch of a product) lie one behind the other.
package final class PackedMatrix: Sendable {
    package let lines: Int
    package let depth: Int
    package let width: Int
    package let matrixCount: Int
    package let memory: FloatMemory

    /// Packs `matrixCount` matrices of `lines` × `depth` floats, which begin at `bytes` and need not be aligned.
    ///
    /// The strides are in floats. Traps when the matrices end behind `bytes`.
    package init(
        _ bytes: UnsafeRawBufferPointer, lines: Int, depth: Int, width: Int, lineStride: Int,
        depthStride: Int,
        matrixCount: Int = 1, matrixStride: Int = 0, packing: PanelPacking = .callerOnly
    ) {
        self.lines = lines
        self.depth = depth
        self.width = width
        self.matrixCount = matrixCount
        let panels = (lines + width - 1) / width
        let stride = panels * width * depth
        let memory = FloatMemory(count: stride * matrixCount)
        self.memory = memory
        guard lines > 0, depth > 0, matrixCount > 0 else { return }
        let last = (lines - 1) * lineStride + (depth - 1) * depthStride + (matrixCount - 1) * matrixStride
        precondition((last + 1) * MemoryLayout<Float>.stride <= bytes.count, "a matrix behind its bytes")
        // Read alone, until all threads have ended.
        nonisolated(unsafe) let source = bytes.baseAddress!
        for matrix in 0..<matrixCount {
            _ = packing.run(panelCount: panels, floatCount: lines * depth) { range in
                let line = range.lowerBound * width
                ck_pack_panels(
                    memory.pointer + matrix * stride + line * depth,
                    source + (matrix * matrixStride + line * lineStride) * MemoryLayout<Float>.stride,
                    min(lines, range.upperBound * width) - line, depth, lineStride, depthStride, width)
                return true
            }
        }
    }

    /// The floats from one panel to the next.
    package var panelStride: Int { depth * width }

    /// The panels of one matrix.
    package var panelCount: Int { (lines + width - 1) / width }

    package func pointer(matrix: Int, panel: Int) -> UnsafePointer<Float> {
        UnsafePointer(memory.pointer + (matrix * panelCount + panel) * panelStride)
    }
}
