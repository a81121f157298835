import Tensors

/// Each region of interest pooled to one size, from bilinear samples of the image.
///
/// Inputs: X [N, C, H, W]; rois [R, 4], x1, y1, x2, y2 in pixels before `spatial_scale`; batch_indices, int64 [R]: the
/// image of each. Outputs: Y [R, C, output_height, output_width]. Attributes: `output_height` (1), `output_width` (1),
/// `sampling_ratio` (0: as many samples in a bin as it spans pixels), `spatial_scale` (1), `mode` (`avg`; `max`: the
/// greatest of the weighted corners of all samples), `coordinate_transformation_mode` (since 16: `half_pixel`, pixel
/// centres; `output_half_pixel`, the only one before, with regions of at least one pixel). A sample outside the image is 0.
/// Errors: a region with too many samples. Source: He et al. 2017, §3; ONNX RoiAlign-10,
/// 16, 22.
package struct RoiAlign: Operator {
    private enum Mode: String, CaseIterable { case average = "avg", maximum = "max" }
    private enum Coordinates: String, CaseIterable {
        case halfPixel = "half_pixel"
        case outputHalfPixel = "output_half_pixel"
    }

    package static let type = "RoiAlign"

    private let mode: Mode
    private let coordinates: Coordinates
    private let height: Int
    private let width: Int
    private let samplingRatio: Int
    private let scale: Double

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        let extents = 1...AttributeReader.maximumExtent
        mode = try attributes.choice("mode", default: .average)
        coordinates =
            attributes.opset >= 16
            ? try attributes.choice("coordinate_transformation_mode", default: .halfPixel) : .outputHalfPixel
        height = try attributes.integer("output_height", default: 1, in: extents)
        width = try attributes.integer("output_width", default: 1, in: extents)
        samplingRatio = try attributes.integer(
            "sampling_ratio", default: 0, in: 0...AttributeReader.maximumExtent)
        scale = Double(try attributes.real("spatial_scale", default: 1))
    }

    package var inputCount: ClosedRange<Int> { 3...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, rois) = (try required(inputs, 0, "X"), try required(inputs, 1, "rois"))
        let indices = try required(inputs, 2, "batch_indices")
        try requireFloating(x, "X")
        let type = try commonType(x, "X", rois, "rois")
        try requireType(indices, "batch_indices", .int64)
        try requireRank(x, "X", 4)
        try requireShape(rois, "rois", [.unknown, .known(4)])
        let count = rois.dimensions?[0] ?? .unknown
        try requireShape(indices, "batch_indices", [count])
        let known = count.unified(with: indices.dimensions?[0] ?? .unknown) ?? .unknown
        return [try output(type, [known, x.dimensions?[1] ?? .unknown, .known(height), .known(width)])]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        let (values, rois) = (try reals(inputs, 0, "X"), try reals(inputs, 1, "rois"))
        let images = try integers(inputs, 2, "batch_indices")
        guard target.count > 0 else {
            return [ExactTensor(reals: [], shape: target, elementType: x.elementType)]
        }
        guard x.shape.count > 0 else { throw error("X has no elements to sample") }
        let plane = x.shape[2] * x.shape[3]
        var result: [Double] = []
        result.reserveCapacity(target.count)
        for region in 0..<target[0] {
            guard images[region] >= 0, images[region] < Int64(x.shape[0]) else {
                throw error("a region is of image \(images[region]), X has \(x.shape[0])")
            }
            let (rows, columns) = try grids(rois[region * 4..<(region + 1) * 4].map { $0 * scale }, x.shape)
            for channel in 0..<x.shape[1] {
                let base = (Int(images[region]) * x.shape[1] + channel) * plane
                for bin in 0..<height * width {
                    result.append(
                        pooled(values, base, x.shape[3], rows, bin / width, columns, bin % width))
                }
            }
        }
        return [ExactTensor(reals: result, shape: target, elementType: x.elementType)]
    }

    /// The samples of one region, given as x1, y1, x2, y2 in pixels of the image.
    private func grids(
        _ corners: [Double], _ shape: Shape
    ) throws(GraphError) -> (rows: RegionGrid, columns: RegionGrid) {
        let offset = coordinates == .halfPixel ? 0.5 : 0
        func grid(_ begin: Double, _ end: Double, bins: Int, extent: Int) -> RegionGrid? {
            let length = coordinates == .halfPixel ? end - begin : max(end - begin, 1)
            return RegionGrid(
                begin: begin - offset, length: length, bins: bins, count: samplingRatio, extent: extent)
        }
        guard let rows = grid(corners[1], corners[3], bins: height, extent: shape[2]),
            let columns = grid(corners[0], corners[2], bins: width, extent: shape[3]),
            rows.samples.count <= EvaluationLimits.maximumElementCount / max(1, columns.samples.count)
        else { throw error("the region \(corners) has too many samples") }
        return (rows, columns)
    }

    /// One bin of one channel, whose elements begin at `base`.
    private func pooled(
        _ values: [Double], _ base: Int, _ width: Int, _ rows: RegionGrid, _ row: Int, _ columns: RegionGrid,
        _ column: Int
    ) -> Double {
        var (sum, greatest) = (0.0, -Double.infinity)
        for y in rows.samples[row * rows.samplesPerBin..<(row + 1) * rows.samplesPerBin] {
            for x in columns.samples[column * columns.samplesPerBin..<(column + 1) * columns.samplesPerBin] {
                guard let y, let x else {
                    greatest = max(greatest, 0)
                    continue
                }
                let (low, high) = (base + y.low * width, base + y.high * width)
                let corners = SIMD4(
                    y.lowWeight * x.lowWeight * values[low + x.low],
                    y.lowWeight * x.highWeight * values[low + x.high],
                    y.highWeight * x.lowWeight * values[high + x.low],
                    y.highWeight * x.highWeight * values[high + x.high])
                sum += corners.sum()
                greatest = Max.combine(greatest, corners.max())
            }
        }
        let count = rows.samplesPerBin * columns.samplesPerBin
        switch mode {
        case .average: return sum / Double(max(1, count))
        case .maximum: return count == 0 ? 0 : greatest
        }
    }
}
