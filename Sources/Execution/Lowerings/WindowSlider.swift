import CKernels
import Kernels

/// Slides a window over one plane: depthwise convolution and pooling.
struct WindowSlider: Sendable {
    let geometry: WindowGeometry
    let kernels: KernelTable

    /// Rows shorter than this many vectors are computed together, with what lies between them in the prepared plane.
    private static let shortRowVectors = 4

    var outputCount: Int { geometry.outputCount }
    private var width: Int { geometry.axes[2].output }
    private var height: Int { geometry.axes[1].output }
    private var isShort: Bool { height > 1 && width < Self.shortRowVectors * kernels.lanes }

    /// The floats of a sheet of outputs with what lies between its rows.
    private var looseCount: Int { (height - 1) * geometry.rowStride + width }

    /// The floats that `prepare` writes to the scratch, and those that a thread needs in all.
    var preparedCount: Int { geometry.isDirect ? 0 : geometry.planeCount + FloatMemory.slack }
    var scratchCount: Int { preparedCount + (isShort ? looseCount + FloatMemory.slack : 0) }

    /// The plane as the window reads it.
    func prepare(
        _ plane: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>, fill: Float
    ) -> UnsafePointer<Float> {
        guard !geometry.isDirect else { return plane }
        geometry.prepare(plane, into: scratch, fill: fill)
        return UnsafePointer(scratch)
    }

    /// Writes all outputs of one plane.
    func slide(
        _ kind: ck_window_kind, _ source: UnsafePointer<Float>, _ weights: UnsafePointer<Float>?,
        initial: Float,
        lower: Float, upper: Float, into target: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let row = kernels.functions.pointee.window_row!
        geometry.tapOffsets.withUnsafeBufferPointer { taps in
            for sheet in 0..<geometry.axes[0].output {
                let from = source + sheet * geometry.sheetStride
                let to = target + sheet * height * width
                if isShort {
                    row(
                        kind, scratch, from, taps.baseAddress, weights, taps.count, looseCount, initial,
                        lower, upper
                    )
                    for y in 0..<height {
                        (to + y * width).update(from: scratch + y * geometry.rowStride, count: width)
                    }
                } else {
                    for y in 0..<height {
                        row(
                            kind, to + y * width, from + y * geometry.rowStride, taps.baseAddress, weights,
                            taps.count, width, initial, lower, upper)
                    }
                }
            }
        }
    }
}
