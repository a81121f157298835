import Tensors

/// The input with elements added, or with negative pads removed, at the ends of its axes.
///
/// Inputs: data, any type; since 11 pads (int64, all begins then all ends), constant_value (scalar, 0) and, since 18,
/// axes (all). Outputs: output. Attributes: `mode` (`constant`, `reflect`, `edge`, since 19 `wrap`); before 11 `pads` and
/// `value` (0). Source: ONNX Pad-2, 11, 13, 18, 19, 21, 23, 24, 25.
package struct Pad: Operator {
    package enum Mode: String, CaseIterable, Sendable {
        case constant, reflect, edge, wrap
    }

    package static let type = "Pad"

    package let mode: Mode
    private let stated: [Int]?
    private let statedValue: Double
    private let opset: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        opset = attributes.opset
        mode = try attributes.choice("mode", default: Mode.constant)
        guard opset < 11 else {
            (stated, statedValue) = (nil, 0)
            return
        }
        guard let pads = try attributes.integers("pads") else {
            throw .attribute(Self.type, name: "pads", reason: "is required")
        }
        stated = pads
        statedValue = Double(try attributes.real("value", default: 0))
    }

    package var inputCount: ClosedRange<Int> { opset < 11 ? 1...1 : opset < 18 ? 2...3 : 2...4 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let data = try required(inputs, 0, "data")
        if stated == nil, let value = try optional(inputs, 2, "constant_value") {
            _ = try commonType(data, "data", value, "constant_value")
            if let dimensions = value.dimensions, Dimension.product(dimensions).value ?? 1 != 1 {
                throw error("constant_value \(value) is no scalar")
            }
        }
        guard let dimensions = data.dimensions else { return [ValueInfo(data.elementType, nil)] }
        guard let pads = try pads(inputs, rank: dimensions.count) else {
            return [
                ValueInfo(data.elementType, [Dimension](repeating: .unknown, count: dimensions.count))
            ]
        }
        var result: [Dimension] = []
        for (axis, (extent, pad)) in zip(dimensions, pads).enumerated() {
            result.append(try padded(extent, pad, axis: axis))
        }
        return [try output(data.elementType, result)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let data = try tensor(inputs, 0, "data")
        guard let pads = try pads(inputs.map { $0.map(ValueInfo.init) }, rank: shape.rank) else {
            throw error("pads are not known")
        }
        var fill = stated == nil && inputs.count > 2 ? inputs[2] : nil
        if stated != nil {
            fill = ExactTensor(reals: [statedValue], shape: .scalar, elementType: .float64)
                .converted(to: data.elementType)
        }
        return [
            data.selected(to: shape, fill: fill) { axis in
                (0..<shape[axis]).map { source($0 - pads[axis].begin, extent: data.shape[axis]) }
            }
        ]
    }

    /// The pads of each axis, when they are known.
    package func pads(
        _ inputs: [ValueInfo?], rank: Int
    ) throws(GraphError) -> [(begin: Int, end: Int)]? {
        var pads = stated
        if stated == nil {
            let info = try required(inputs, 1, "pads")
            try requireType(info, "pads", .int64)
            try requireRank(info, "pads", 1)
            pads = info.knownElements
        }
        var axes = Array(0..<rank)
        if opset >= 18, let info = try optional(inputs, 3, "axes") {
            try requireType(info, "axes", .int64, .int32)
            guard let known = info.knownElements else { return nil }
            axes = try normalized(known, rank: rank)
        }
        guard let pads else { return nil }
        guard pads.count == 2 * axes.count else {
            throw error("pads has \(pads.count) elements, expected \(2 * axes.count)")
        }
        let bound = AttributeReader.maximumExtent
        if let pad = pads.first(where: { !(-bound...bound).contains($0) }) { throw error("a pad is \(pad)") }
        var result = [(begin: Int, end: Int)](repeating: (0, 0), count: rank)
        for (index, axis) in axes.enumerated() { result[axis] = (pads[index], pads[index + axes.count]) }
        return result
    }

    private func padded(
        _ dimension: Dimension, _ pad: (begin: Int, end: Int), axis: Int
    ) throws(GraphError) -> Dimension {
        if pad == (0, 0) { return dimension }
        guard let extent = dimension.value else { return .unknown }
        let result = extent + pad.begin + pad.end
        guard result >= 0 else {
            throw error("pads \(pad.begin) and \(pad.end) leave \(result) elements of axis \(axis)")
        }
        if mode != .constant, extent == 0, result > 0 {
            throw error("axis \(axis) has no element to pad with")
        }
        return .known(result)
    }

    /// The coordinate that fills `coordinate`; -1 for the constant.
    private func source(_ coordinate: Int, extent: Int) -> Int {
        if (0..<extent).contains(coordinate) { return coordinate }
        switch mode {
        case .constant: return -1
        case .edge: return coordinate < 0 ? 0 : extent - 1
        case .wrap:
            let rest = coordinate % extent
            return rest < 0 ? rest + extent : rest
        case .reflect:
            guard extent > 1 else { return 0 }
            // There and back again, the ends once.
            let period = 2 * (extent - 1)
            let rest = abs(coordinate % period)
            return rest < extent ? rest : period - rest
        }
    }
}
