import Tensors

/// The boxes of each image and class that overlap no better one too much, best first.
///
/// Inputs: boxes [N, B, 4]; scores [N, C, B]; max_output_boxes_per_class, int64, one (optional, 0: none at all);
/// iou_threshold, one, 0 to 1 (optional, 0); score_threshold, one (optional, none). Outputs: selected_indices, int64
/// [count, 3]: image, class, box. Attributes: `center_point_box` (0: y1, x1, y2, x2 of any two opposite corners; 1:
/// x_center, y_center, width, height). A box is taken when its score is over the threshold and no box taken before, of a
/// better score or of the same and a lower index, shares more than iou_threshold of what both cover. A score that is no
/// number takes no box. Source: ONNX NonMaxSuppression-10, 11.
package struct NonMaxSuppression: Operator {
    package static let type = "NonMaxSuppression"

    private let hasCenters: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        hasCenters = try attributes.flag("center_point_box", default: false)
    }

    package var inputCount: ClosedRange<Int> { 2...5 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (boxes, scores) = (try required(inputs, 0, "boxes"), try required(inputs, 1, "scores"))
        try requireFloating(boxes, "boxes")
        try requireFloating(scores, "scores")
        try requireShape(boxes, "boxes", [.unknown, .unknown, .known(4)])
        try requireShape(
            scores, "scores", [boxes.dimensions?[0] ?? .unknown, .unknown, boxes.dimensions?[1] ?? .unknown])
        if let count = try optional(inputs, 2, "max_output_boxes_per_class") {
            try requireType(count, "max_output_boxes_per_class", .int64)
            try requireOneElement(count, "max_output_boxes_per_class")
        }
        for (index, name) in [(3, "iou_threshold"), (4, "score_threshold")] {
            guard let threshold = try optional(inputs, index, name) else { continue }
            try requireFloating(threshold, name)
            try requireOneElement(threshold, name)
        }
        return [try output(.int64, [.unknown, .known(3)])]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        try requireFit(inputs)
        let shape = try tensor(inputs, 1, "scores").shape
        let (boxes, scores) = (try reals(inputs, 0, "boxes"), try reals(inputs, 1, "scores"))
        let limit = try optionalInteger(inputs, 2, "max_output_boxes_per_class") ?? 0
        let overlap = try optionalReals(inputs, 3, "iou_threshold")?.first ?? 0
        let least = try optionalReals(inputs, 4, "score_threshold")?.first
        guard overlap >= 0, overlap <= 1 else {
            throw error("iou_threshold is \(overlap), expected 0 to 1")
        }
        // Each box and class at most once, so the result is bounded by the scores.
        _ = try boundedShape([shape.count, 3])
        var result: [Int64] = []
        let (classes, count) = (shape[1], shape[2])
        for image in 0..<(shape.count > 0 ? shape[0] : 0) {
            let candidates = (0..<count).map { index in
                Box(boxes[(image * count + index) * 4..<(image * count + index + 1) * 4], hasCenters)
            }
            for number in 0..<classes {
                let own = scores[(image * classes + number) * count..<(image * classes + number + 1) * count]
                let chosen = Self.chosen(candidates, Array(own), limit: limit, overlap: overlap, least: least)
                for index in chosen { result += [Int64(image), Int64(number), Int64(index)] }
            }
        }
        let target = try boundedShape([result.count / 3, 3])
        return [ExactTensor(integers: result, shape: target, elementType: .int64)]
    }

    private static func chosen(
        _ boxes: [Box], _ scores: [Double], limit: Int64, overlap: Double, least: Double?
    ) -> [Int] {
        let order = scores.indices
            .filter { index in least.map { scores[index] > $0 } ?? !scores[index].isNaN }
            .sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }
        var chosen: [Int] = []
        for index in order {
            guard Int64(chosen.count) < limit else { break }
            if chosen.allSatisfy({ !(boxes[index].overlap(boxes[$0]) > overlap) }) { chosen.append(index) }
        }
        return chosen
    }
}

/// A rectangle by its lesser and greater corner.
private struct Box {
    let begin: SIMD2<Double>
    let end: SIMD2<Double>

    init(_ numbers: ArraySlice<Double>, _ hasCenter: Bool) {
        let first = numbers.startIndex
        let one = SIMD2(numbers[first], numbers[first + 1])
        let other = SIMD2(numbers[first + 2], numbers[first + 3])
        (begin, end) =
            hasCenter
            ? (one - other / 2, one + other / 2) : (pointwiseMin(one, other), pointwiseMax(one, other))
    }

    private var area: Double { (end.x - begin.x) * (end.y - begin.y) }

    /// The area that both cover over the area that either does; 0 when either has none.
    func overlap(_ other: Box) -> Double {
        let extent = pointwiseMin(end, other.end) - pointwiseMax(begin, other.begin)
        guard extent.x > 0, extent.y > 0, area > 0, other.area > 0 else { return 0 }
        let shared = extent.x * extent.y
        return shared / (area + other.area - shared)
    }
}
