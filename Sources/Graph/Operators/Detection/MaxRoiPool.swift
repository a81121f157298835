import Tensors

/// The greatest element in each bin of each region of interest, whose corners are rounded to pixels.
///
/// Inputs: X [N, C, H, W]; rois [R, 5]: the image, then x1, y1, x2, y2 in pixels before `spatial_scale`, both ends
/// included. Outputs: Y [R, C, …pooled_shape], 0 for a bin without pixels. Attributes: `pooled_shape` (required: height,
/// width), `spatial_scale` (1). Source: Girshick 2015, §2.1; ONNX MaxRoiPool-1, 22.
package struct MaxRoiPool: Operator {
    package static let type = "MaxRoiPool"

    /// Coordinates whose products with a bin's number cannot overflow.
    private static let greatestCoordinate = 0x1p30

    private let height: Int
    private let width: Int
    private let scale: Double

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        let shape = try attributes.integers("pooled_shape", in: 1...AttributeReader.maximumExtent)
        guard let shape, shape.count == 2 else {
            throw .attribute(
                Self.type, name: "pooled_shape",
                reason: shape.map { "has \($0.count) numbers, expected 2" } ?? "is required")
        }
        (height, width) = (shape[0], shape[1])
        scale = Double(try attributes.real("spatial_scale", default: 1))
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, rois) = (try required(inputs, 0, "X"), try required(inputs, 1, "rois"))
        try requireFloating(x, "X")
        let type = try commonType(x, "X", rois, "rois")
        try requireRank(x, "X", 4)
        try requireShape(rois, "rois", [.unknown, .known(5)])
        let leading = [rois.dimensions?[0] ?? .unknown, x.dimensions?[1] ?? .unknown]
        return [try output(type, leading + [.known(height), .known(width)])]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        let (values, rois) = (try reals(inputs, 0, "X"), try reals(inputs, 1, "rois"))
        let imageWidth = x.shape[3]
        var result: [Double] = []
        result.reserveCapacity(target.count)
        for region in 0..<(target.count > 0 ? target[0] : 0) {
            let roi = Array(rois[region * 5..<(region + 1) * 5])
            guard let image = Int(exactly: roi[0]), image >= 0, image < x.shape[0] else {
                throw error("a region is of image \(roi[0]), X has \(x.shape[0])")
            }
            let rows = try bins(roi[2], roi[4], count: height, extent: x.shape[2])
            let columns = try bins(roi[1], roi[3], count: width, extent: x.shape[3])
            for channel in 0..<x.shape[1] {
                let base = (image * x.shape[1] + channel) * x.shape[2]
                for row in rows {
                    for column in columns {
                        var greatest = -Double.infinity
                        for y in row {
                            for x in column {
                                greatest = Max.combine(greatest, values[(base + y) * imageWidth + x])
                            }
                        }
                        result.append(row.isEmpty || column.isEmpty ? 0 : greatest)
                    }
                }
            }
        }
        return [ExactTensor(reals: result, shape: target, elementType: x.elementType)]
    }

    /// The pixels of each bin on one axis: neighbours may share the ones that a bin's ends cut.
    private func bins(
        _ begin: Double, _ end: Double, count: Int, extent: Int
    ) throws(GraphError) -> [Range<Int>] {
        guard let first = pixel(begin), let last = pixel(end) else {
            throw error("a region goes from \(begin) to \(end), which are no pixels")
        }
        let length = max(1, last - first + 1)
        return (0..<count).map { index in
            let lower = first + index * length / count
            let upper = first + ((index + 1) * length + count - 1) / count
            let held = max(0, min(extent, lower))
            return held..<max(held, min(extent, upper))
        }
    }

    private func pixel(_ coordinate: Double) -> Int? {
        let rounded = (coordinate * scale).rounded()
        return rounded.magnitude <= Self.greatestCoordinate ? Int(rounded) : nil
    }
}
