import Tensors

/// Moves blocks of channels into space: channel groups become the pixels of blocksize × blocksize squares.
///
/// Inputs: input [N, C·b², H, W], any type. Outputs: output [N, C, H·b, W·b]. Attributes: `blocksize` (required), `mode`
/// (since 11: `DCR`, the block's position before the channel, or `CRD`, after it). Source: ONNX DepthToSpace-1, 11, 13.
package struct DepthToSpace: Operator {
    private enum Mode: String, CaseIterable { case depthColumnRow = "DCR", columnRowDepth = "CRD" }

    package static let type = "DepthToSpace"

    package let blockSize: Int
    package let isColumnRowDepth: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        blockSize = try attributes.blockSize()
        isColumnRowDepth =
            attributes.opset >= 11
            ? try attributes.choice("mode", default: Mode.depthColumnRow) == .columnRowDepth : false
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        try requireRank(input, "input", 4)
        guard let dimensions = input.dimensions else { return [ValueInfo(input.elementType, nil)] }
        var channels = Dimension.unknown
        if let extent = dimensions[1].value {
            guard extent.isMultiple(of: blockSize * blockSize) else {
                throw error("\(extent) channels cannot be divided into blocks of \(blockSize)×\(blockSize)")
            }
            channels = .known(extent / (blockSize * blockSize))
        }
        return [
            try output(
                input.elementType,
                [dimensions[0], channels, try grown(dimensions[2]), try grown(dimensions[3])])
        ]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let input = try tensor(inputs, 0, "input")
        let (n, c, h, w) = (target[0], target[1], input.shape[2], input.shape[3])
        let b = blockSize
        let split = try checkedShape(isColumnRowDepth ? [n, c, b, b, h, w] : [n, b, b, c, h, w])
        let moved = try checkedShape([n, c, h, b, w, b])
        return [
            input.reshaped(to: split)
                .transposed(isColumnRowDepth ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2], to: moved)
                .reshaped(to: target)
        ]
    }

    private func grown(_ dimension: Dimension) throws(GraphError) -> Dimension {
        let product = Dimension.product([dimension, .known(blockSize)])
        if dimension.value != nil, product == .unknown {
            throw error("an extent of \(dimension) is too large")
        }
        return product
    }
}

/// Moves blocks of pixels into channels: the inverse of DepthToSpace's `DCR`.
///
/// Inputs: input [N, C, H·b, W·b], any type. Outputs: output [N, C·b², H, W]. Attributes: `blocksize` (required).
/// Source: ONNX SpaceToDepth-1, 13.
package struct SpaceToDepth: Operator {
    package static let type = "SpaceToDepth"

    package let blockSize: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        blockSize = try attributes.blockSize()
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        try requireRank(input, "input", 4)
        guard let dimensions = input.dimensions else { return [ValueInfo(input.elementType, nil)] }
        var result = [dimensions[0], Dimension.product([dimensions[1], .known(blockSize * blockSize)])]
        if dimensions[1].value != nil, result[1] == .unknown {
            throw error("\(dimensions[1]) channels are too many")
        }
        for axis in 2...3 {
            guard let extent = dimensions[axis].value else {
                result.append(blockSize == 1 ? dimensions[axis] : .unknown)
                continue
            }
            guard extent.isMultiple(of: blockSize) else {
                throw error("an extent of \(extent) cannot be divided into blocks of \(blockSize)")
            }
            result.append(.known(extent / blockSize))
        }
        return [try output(input.elementType, result)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let input = try tensor(inputs, 0, "input")
        let (n, c, h, w) = (target[0], input.shape[1], target[2], target[3])
        let b = blockSize
        let split = try checkedShape([n, c, h, b, w, b])
        let moved = try checkedShape([n, b, b, c, h, w])
        return [
            input.reshaped(to: split).transposed([0, 3, 5, 1, 2, 4], to: moved).reshaped(to: target)
        ]
    }
}

extension AttributeReader {
    fileprivate mutating func blockSize() throws(GraphError) -> Int {
        // Its square is multiplied by extents.
        guard let size = try integer("blocksize", in: 1...Int(Int16.max)) else {
            throw .attribute(operatorType, name: "blocksize", reason: "is required")
        }
        return size
    }
}
