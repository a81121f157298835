import Tensors

/// The Fourier transforms of overlapping pieces of a signal, each weighted by a window.
///
/// Inputs: signal [N, length, 1] (real) or [N, length, 2] (complex); frame_step (integer scalar); window [frame_length]
/// (optional, 1); frame_length (integer scalar, optional: the window's, else the signal's). Outputs: output
/// [N, frames, bins, 2], ⌊(length − frame_length)/frame_step⌋ + 1 frames of frame_length bins; with `onesided`
/// ⌊frame_length/2⌋ + 1, for real signals alone. Attributes: `onesided` (1). Source: ONNX STFT-17.
package struct STFT: Operator {
    package static let type = "STFT"

    package let isOneSided: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        isOneSided = try attributes.flag("onesided", default: true)
    }

    package var inputCount: ClosedRange<Int> { 2...4 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let signal = try required(inputs, 0, "signal")
        try requireFloating(signal, "signal")
        try requireRank(signal, "signal", 3)
        if let parts = signal.dimensions?[2].value, !(isOneSided ? 1...1 : 1...2).contains(parts) {
            throw error(
                "the last axis has an extent of \(parts), expected 1 (real)\(isOneSided ? "" : " or 2 (complex)")"
            )
        }
        let step = try knownInteger(inputs, 1, "frame_step")
        if let step, step < 1 { throw error("frame_step is \(step)") }
        var frameLength: Dimension
        let window = try optional(inputs, 2, "window")
        if let window {
            _ = try commonType(signal, "signal", window, "window")
            try requireRank(window, "window", 1)
        }
        frameLength = window?.dimensions?[0] ?? (window == nil ? signal.dimensions?[1] ?? .unknown : .unknown)
        if inputs.count > 3, inputs[3] != nil {
            let stated = try knownInteger(inputs, 3, "frame_length").map(Dimension.known) ?? .unknown
            if window == nil {
                frameLength = stated
            } else if let unified = frameLength.unified(with: stated) {
                frameLength = unified
            } else {
                throw error("window has \(frameLength) elements, frame_length is \(stated)")
            }
        }
        return [
            try output(
                signal.elementType,
                [
                    signal.dimensions?[0] ?? .unknown,
                    try frames(signal.dimensions?[1].value, frameLength.value, step),
                    bins(frameLength), .known(2),
                ])
        ]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let signal = try tensor(inputs, 0, "signal")
        let (values, window) = (try reals(inputs, 0, "signal"), try optionalReals(inputs, 2, "window"))
        let infos = inputs.map { $0.map(ValueInfo.init) }
        let step = try knownInteger(infos, 1, "frame_step") ?? 1
        let stated = inputs.count > 3 && inputs[3] != nil ? try knownInteger(infos, 3, "frame_length") : nil
        let length = window?.count ?? stated ?? signal.shape[1]
        let (bins, parts) = (target[2], signal.shape[2])
        let transform = FourierTransform(length: length, isInverse: false)
        var result: [Double] = []
        result.reserveCapacity(target.count)
        for row in 0..<target[0] * target[1] {
            let (image, frame) = row.quotientAndRemainder(dividingBy: target[1])
            let first = image * signal.shape[1] + frame * step
            let spectrum = transform.transformed(
                (0..<length).map { index in
                    let source = (first + index) * parts
                    let value = FourierTransform.Complex(values[source], parts == 2 ? values[source + 1] : 0)
                    return value * (window?[index] ?? 1)
                })
            for bin in spectrum[..<bins] {
                result.append(bin.x)
                result.append(bin.y)
            }
        }
        return [ExactTensor(reals: result, shape: target, elementType: signal.elementType)]
    }

    private func frames(_ length: Int?, _ frameLength: Int?, _ step: Int?) throws(GraphError) -> Dimension {
        if let frameLength {
            guard frameLength > 0 else { throw error("the frames have \(frameLength) elements") }
            guard frameLength <= FourierTransform.maximumLength else {
                throw .limit(
                    "the length of a frame of \(Self.type)", maximum: FourierTransform.maximumLength,
                    actual: frameLength)
            }
        }
        guard let length, let frameLength, let step else { return .unknown }
        guard length >= frameLength else {
            throw error("the signal has \(length) elements, a frame has \(frameLength)")
        }
        return .known((length - frameLength) / step + 1)
    }

    private func bins(_ frameLength: Dimension) -> Dimension {
        guard isOneSided else { return frameLength }
        return frameLength.value.map { .known($0 / 2 + 1) } ?? .unknown
    }
}
