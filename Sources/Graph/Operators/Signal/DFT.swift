import Tensors

/// The discrete Fourier transform along one axis.
///
/// Inputs: input […, 1] (real) or […, 2] (complex); dft_length (integer scalar, optional): the signal is cut or filled up
/// with zeros to it; since 20 axis (int64 scalar, −2). Outputs: output, complex, the axis as long as the transform, with
/// `onesided` ⌊length/2⌋ + 1; onesided and inverse: real, of a half spectrum of 2·(extent − 1) elements if not stated.
/// Attributes: `inverse` (0), `onesided` (0), before 20 `axis` (1). Source: ONNX DFT-17, 20.
package struct DFT: Operator {
    package static let type = "DFT"

    package let isInverse: Bool
    package let isOneSided: Bool
    /// `nil`: an input, since 20.
    package let statedAxis: Int?

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        isInverse = try attributes.flag("inverse", default: false)
        isOneSided = try attributes.flag("onesided", default: false)
        statedAxis = attributes.opset < 20 ? try attributes.integer("axis", default: 1) : nil
    }

    package var inputCount: ClosedRange<Int> { statedAxis == nil ? 1...3 : 1...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        try requireFloating(input, "input")
        try requireRank(input, "input", 2...Int.max)
        let length = try statedLength(inputs)
        let axis = try axis(inputs)
        guard var dimensions = input.dimensions else { return [ValueInfo(input.elementType, nil)] }
        try requireParts(dimensions[dimensions.count - 1])
        dimensions[dimensions.count - 1] = .known(isOneSided && isInverse ? 1 : 2)
        guard let axis = try axis.map({ (axis) throws(GraphError) in try signalAxis(axis, dimensions.count) })
        else {
            for axis in dimensions.indices.dropLast() { dimensions[axis] = .unknown }
            return [ValueInfo(input.elementType, dimensions)]
        }
        dimensions[axis] = try extent(
            dimensions[axis], length: length, isStated: inputs.count > 1 && inputs[1] != nil)
        return [try output(input.elementType, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let x = try tensor(inputs, 0, "input")
        let values = try reals(inputs, 0, "input")
        let infos = inputs.map { $0.map(ValueInfo.init) }
        let axis = try signalAxis(try axis(infos) ?? -2, target.rank)
        let (extent, parts) = (x.shape[axis], x.shape[target.rank - 1])
        let length = try transformLength(extent, stated: try statedLength(infos))
        var result = [Double](repeating: 0, count: target.count)
        let transform = FourierTransform(length: length, isInverse: isInverse)
        // Between neighbours of a signal lie the axes behind it, the last of them the parts of a number.
        let inner = x.shape.dimensions[(axis + 1)...].dropLast().reduce(1, *)
        let outputParts = target[target.rank - 1]
        for row in 0..<(target.count == 0 ? 0 : target.count / (target[axis] * outputParts)) {
            let (outer, position) = row.quotientAndRemainder(dividingBy: inner)
            var signal = (0..<length).map { index in
                guard index < extent else { return FourierTransform.Complex.zero }
                let first = ((outer * extent + index) * inner + position) * parts
                return FourierTransform.Complex(values[first], parts == 2 ? values[first + 1] : 0)
            }
            if isInverse, isOneSided { mirror(&signal) }
            let spectrum = transform.transformed(signal)
            for index in 0..<target[axis] {
                let first = ((outer * target[axis] + index) * inner + position) * outputParts
                result[first] = spectrum[index].x
                if outputParts == 2 { result[first + 1] = spectrum[index].y }
            }
        }
        return [ExactTensor(reals: result, shape: target, elementType: x.elementType)]
    }

    /// Fills the second half of a real signal's spectrum from the first.
    private func mirror(_ spectrum: inout [FourierTransform.Complex]) {
        let length = spectrum.count
        spectrum[0].y = 0
        for index in stride(from: length / 2 + 1, to: length, by: 1) {
            spectrum[index] = .init(spectrum[length - index].x, -spectrum[length - index].y)
        }
        // The middle of an even length is its own mirror image, and so real.
        if length.isMultiple(of: 2) { spectrum[length / 2].y = 0 }
    }

    private func statedLength(_ inputs: [ValueInfo?]) throws(GraphError) -> Int? {
        guard inputs.count > 1, inputs[1] != nil else { return nil }
        return try knownInteger(inputs, 1, "dft_length")
    }

    /// `nil`: not known yet.
    private func axis(_ inputs: [ValueInfo?]) throws(GraphError) -> Int? {
        if let statedAxis { return statedAxis }
        guard inputs.count > 2, inputs[2] != nil else { return -2 }
        return try knownInteger(inputs, 2, "axis")
    }

    private func signalAxis(_ axis: Int, _ rank: Int) throws(GraphError) -> Int {
        let position = try normalized(axis, rank: rank)
        guard position < rank - 1 else { throw error("axis \(axis) holds the parts of complex numbers") }
        return position
    }

    private func requireParts(_ parts: Dimension) throws(GraphError) {
        guard let count = parts.value else { return }
        if isOneSided {
            guard count == (isInverse ? 2 : 1) else {
                throw error(
                    "the last axis has an extent of \(count), one-sided and \(isInverse ? "inverse" : "forward") "
                        + "it is \(isInverse ? 2 : 1)")
            }
        }
        guard count == 1 || count == 2 else {
            throw error("the last axis has an extent of \(count), expected 1 (real) or 2 (complex)")
        }
    }

    private func extent(_ dimension: Dimension, length: Int?, isStated: Bool) throws(GraphError) -> Dimension
    {
        if length == nil, isStated || dimension.value == nil {
            return isStated || isOneSided ? .unknown : dimension
        }
        let length = try transformLength(dimension.value ?? 0, stated: length)
        return .known(isOneSided && !isInverse ? length / 2 + 1 : length)
    }

    private func transformLength(_ extent: Int, stated: Int?) throws(GraphError) -> Int {
        let length = stated ?? (isOneSided && isInverse ? 2 * (extent - 1) : extent)
        guard length > 0 else { throw error("the transform's length is \(length)") }
        guard length <= FourierTransform.maximumLength else {
            throw .limit(
                "the length of a \(Self.type)", maximum: FourierTransform.maximumLength, actual: length)
        }
        return length
    }
}
