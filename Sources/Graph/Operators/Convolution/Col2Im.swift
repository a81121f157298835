import Tensors

/// The columns of a convolution's matrix product added up to an image again.
///
/// Inputs: input [N, C·∏ block, L], any type, the sum of booleans being their disjunction; image_shape and block_shape (int64), an extent for each spatial axis.
/// Outputs: output [N, C, image…]. L is the number of positions of the block in the padded image. Attributes: those of
/// `Window` but `kernel_shape` and `auto_pad`. Source: ONNX Col2Im-18.
package struct Col2Im: Operator {
    package static let type = "Col2Im"

    package let window: Window

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        window = try Window(&attributes, hasKernel: false, hasAutoPad: false)
    }

    package var inputCount: ClosedRange<Int> { 3...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        try requireRank(input, "input", 3)
        let image = try extents(inputs, 1, "image_shape")
        let block = try extents(inputs, 2, "block_shape")
        guard let rank = image.rank ?? block.rank ?? window.rank else {
            return [ValueInfo(input.elementType, nil)]
        }
        guard image.rank ?? rank == rank, block.rank ?? rank == rank else {
            throw error(
                "image_shape has \(image.rank ?? rank) elements, block_shape has \(block.rank ?? rank)")
        }
        try window.requireRank(rank)
        guard rank > 0 else { throw error("image_shape is empty") }
        var channels = Dimension.unknown
        let taps = block.known.map { Dimension.product($0.map(Dimension.known)) }
        if let known = block.known {
            for extent in known { _ = try window.extent(kernel: extent, dilation: 1) }
            if let count = input.dimensions?[1].value {
                guard let size = taps?.value, count.isMultiple(of: size) else {
                    throw error("\(count) channels cannot be divided into blocks of \(known)")
                }
                channels = .known(count / size)
            }
        }
        if let known = image.known, let block = block.known {
            var positions: [Dimension] = []
            for axis in 0..<rank {
                positions.append(
                    .known(try window.axis(axis, input: known[axis], kernel: block[axis]).output))
            }
            let count = Dimension.product(positions)
            guard count != .unknown, count.unified(with: input.dimensions?[2] ?? .unknown) != nil else {
                throw error("input \(input) has not \(count) columns, one for each position of the block")
            }
        }
        return [
            try output(
                input.elementType,
                [input.dimensions?[0] ?? .unknown, channels]
                    + (image.elements ?? [Dimension](repeating: .unknown, count: rank)))
        ]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let input = try tensor(inputs, 0, "input")
        let block = try integers(inputs, 2, "block_shape")
        var axes: [Window.Axis] = []
        for axis in 0..<target.rank - 2 {
            axes.append(try window.axis(axis, input: target[axis + 2], kernel: Int(block[axis])))
        }
        // Without input elements nothing bounds the block's extents.
        let offsets = input.shape.count == 0 ? [] : axes.tapOffsets(positions: 0..<input.shape[2])
        switch input.elements {
        case .reals(let values):
            var result = [Double](repeating: 0, count: target.count)
            forEachElement(values.count, offsets, target) { result[$1] += values[$0] }
            return [ExactTensor(reals: result, shape: target, elementType: input.elementType)]
        case .integers(let values):
            var result = [Int64](repeating: 0, count: target.count)
            forEachElement(values.count, offsets, target) { result[$1] &+= values[$0] }
            return [ExactTensor(integers: result, shape: target, elementType: input.elementType)]
        }
    }

    private func forEachElement(
        _ count: Int, _ offsets: [Int], _ target: Shape, _ body: (_ source: Int, _ target: Int) -> Void
    ) {
        let channelStride = target.dimensions.dropFirst(2).reduce(1, *)
        for source in 0..<count {
            let (channel, element) = source.quotientAndRemainder(dividingBy: offsets.count)
            if offsets[element] >= 0 { body(source, channel * channelStride + offsets[element]) }
        }
    }

    private func extents(
        _ inputs: [ValueInfo?], _ index: Int, _ name: String
    ) throws(GraphError) -> (rank: Int?, elements: [Dimension]?, known: [Int]?) {
        let info = try required(inputs, index, name)
        try requireType(info, name, .int64)
        try requireRank(info, name, 1)
        for case .known(let extent) in info.elements ?? []
        where !(0...AttributeReader.maximumExtent).contains(extent) {
            throw error("\(name) has an extent of \(extent)")
        }
        let count = info.elements?.count ?? info.dimensions?[0].value
        if let count, count > ValueInfo.maximumFollowedElements {
            throw error(
                "\(name) has \(count) elements, at most \(ValueInfo.maximumFollowedElements) are followed")
        }
        return (count, info.elements, info.knownElements)
    }
}
