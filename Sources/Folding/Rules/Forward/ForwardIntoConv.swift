import Graph
import Tensors

/// Takes an affine into the convolution behind it, grouped and depthwise ones too.
///
///     W′[o,i,…] = W[o,i,…]·a_i      c′_o = c_o + Σ_{i,k} W[o,i,k]·b_i      i counted on over the groups
///
/// The scale is exact with any pads. With pads the convolution reads 0 where the affine's value is not, so a shift needs
/// one of these, with an operator of its own before the convolution as the affine was one:
///
/// - every channel has the same −b_i/a_i, which is a number of the element type: a Pad of the spatial axes with it, and
///   no pads. (Input normalised with one mean.)
/// - one group: a Pad adds a channel that is 1 everywhere, with the weight W′[o,C,k] = Σ_i W[o,i,k]·b_i; the
///   convolution's own padding with 0 is right for it. One that an earlier fold has added takes the next shift too.
///
/// Shapes: W [outputChannels, inputChannels/group, k…]; c [outputChannels].
/// Refuses: a weight or, for a shift, a bias that is not constant or that a caller may override; a shift into a padded
/// convolution of several groups; results that are not finite in the weight's element type.
/// Source: ONNX Conv-22.
struct ForwardIntoConv: ForwardAbsorber {
    func matches(_ node: Node) -> Bool { node.operation is Conv }

    func absorb(_ site: ForwardSite, into plan: inout ForwardPlan) throws(FoldRefusal) {
        let target = try Target(site)
        let input: String
        var (weight, inputChannels) = (try target.scaledWeight(), target.inputsInGroup)
        var attributes = site.node.attributes
        var addsToBias = target.affine.hasShift
        let type = target.weight.elementType
        if !addsToBias || !target.isPadded {
            input = target.flow.replacement
        } else if let value = target.affine.preimage(of: 0, type: type), let pads = target.pads,
            plan.context.graph.opset >= 11 || Double(Float(value)) == value
        {
            input = try plan.pad(target.flow, pads, value: value, type: type, for: site.node)
            attributes["pads"] = nil
            attributes["auto_pad"] = nil
        } else if target.hasIndicator {
            input = target.flow.replacement
            weight = try target.addingToIndicator(weight)
            addsToBias = false
        } else {
            guard target.conv.group == 1 else {
                throw FoldRefusal(
                    "it pads with 0 in \(target.conv.group) groups, where the shift would be missing")
            }
            input = try plan.indicator(
                of: target.flow, rank: target.weight.shape.rank, type: type, for: site.node)
            weight = try target.withIndicator(weight)
            inputChannels += 1
            addsToBias = false
        }
        var inputs = site.node.inputs
        inputs[0] = input
        inputs[1] = plan.constant(site.node.name + "_weight", weight)
        plan.count(weight, insteadOf: site.node.input(1), of: site.node)
        if addsToBias {
            let bias = try target.shiftedBias()
            inputs = Array(inputs.prefix(2)) + [plan.constant(site.node.name + "_bias", bias)]
        }
        plan.replace(
            site.node,
            with: try Node.made(
                name: site.node.name, domain: site.node.domain, type: site.node.type, attributes: attributes,
                opset: site.node.opset, inputs: inputs, outputs: site.node.outputs))
    }
}

/// The convolution with everything looked up.
private struct Target {
    let site: ForwardSite
    let flow: ForwardFlow
    let conv: Conv
    let weight: Tensor
    let affine: Affine
    let inputsInGroup: Int
    /// Of the input's axes, as a Pad has them: `nil` when they follow from extents that are not known.
    let pads: [Int]?
    private let view: WeightScaling

    init(_ site: ForwardSite) throws(FoldRefusal) {
        self.site = site
        flow = try site.onlyFirst()
        weight = try site.context.foldableConstant(site.node.input(1), role: "weight")
        guard let conv = site.node.operation as? Conv, weight.shape.rank >= 3 else {
            throw FoldRefusal("the weight has shape \(weight.shape)")
        }
        self.conv = conv
        inputsInGroup = weight.shape[1]
        let (channels, overflow) = inputsInGroup.multipliedReportingOverflow(by: conv.group)
        affine = try site.affine(on: 1, count: overflow ? Int.max : channels)
        let (group, inputsInGroup) = (conv.group, inputsInGroup)
        let outputsInGroup = max(1, weight.shape[0] / group)
        view = WeightScaling(
            outerCount: weight.shape[0], channelCount: inputsInGroup,
            innerCount: weight.shape.dimensions[2...].reduce(1, *),
            factorOffset: { min($0 / outputsInGroup, group - 1) * inputsInGroup })
        pads = Self.pads(of: conv, kernel: weight.shape, input: site.dimensions(of: site.node.input(0)))
    }

    /// Pads that are not known may be there.
    var isPadded: Bool { pads.map { $0.contains { $0 != 0 } } ?? true }

    func scaledWeight() throws(FoldRefusal) -> Tensor { try view.scaled(weight, by: affine.scale) }

    func shiftedBias() throws(FoldRefusal) -> Tensor {
        let bias = try site.node.input(2).map { name throws(FoldRefusal) in
            try site.context.foldableConstant(name, role: "bias")
        }
        let taps = view.innerCount
        let sums = view.contracted(weight, with: affine.shift)
        let shift = (0..<view.outerCount).map { sums[$0 * taps..<($0 + 1) * taps].reduce(0, +) }
        return try ChannelConstant(rank: 1, axis: 0)
            .through(Affine(shift: shift, axis: 0), constant: bias, type: weight.elementType)
    }

    /// Whether the last channel is 1 everywhere: a Pad has added it.
    var hasIndicator: Bool {
        guard conv.group == 1, affine.scale.last == 1, affine.shift.last == 0,
            let node = site.context.index.producer(of: flow.value), let pad = node.operation as? Pad,
            pad.mode == .constant,
            let stated = try? pad.pads(
                node.inputs.map { $0.flatMap { site.context.values[$0] } }, rank: weight.shape.rank),
            stated.indices.allSatisfy({ stated[$0] == ($0 == 1 ? (0, 1) : (0, 0)) })
        else { return false }
        if node.opset < 11 { return node.realAttribute("value", default: 0) == 1 }
        return node.input(2).flatMap { site.context.graph.fixedConstant($0) }?.reals == [1]
    }

    /// `scaled` with what the shift makes added to the last channel's weights.
    func addingToIndicator(_ scaled: Tensor) throws(FoldRefusal) -> Tensor {
        let taps = view.innerCount
        var values = scaled.reals
        for (index, sum) in view.contracted(weight, with: affine.shift).enumerated() {
            let (output, tap) = index.quotientAndRemainder(dividingBy: taps)
            values[((output + 1) * inputsInGroup - 1) * taps + tap] += sum
        }
        return try Tensor.rounding(values, shape: scaled.shape, to: scaled.elementType, role: "weight")
    }

    /// `scaled` with the indicator's weights behind those of the other channels.
    func withIndicator(_ scaled: Tensor) throws(FoldRefusal) -> Tensor {
        let taps = view.innerCount
        var dimensions = weight.shape.dimensions
        guard let sumShape = try? Shape([view.outerCount * taps]) else {
            throw FoldRefusal("the weight has shape \(weight.shape)")
        }
        let sums = try Tensor.rounding(
            view.contracted(weight, with: affine.shift), shape: sumShape, to: weight.elementType,
            role: "weight")
        dimensions[1] += 1
        guard let shape = try? Shape(dimensions) else {
            throw FoldRefusal("the weight of one channel more cannot be addressed")
        }
        let (row, extra) = (
            inputsInGroup * taps * weight.elementType.byteCount, taps * weight.elementType.byteCount
        )
        return Tensor(elementType: weight.elementType, shape: shape) { target in
            scaled.withUnsafeBytes { scaled in
                sums.withUnsafeBytes { sums in
                    // Both sources and the target are rows of these lengths, one for each output channel.
                    for output in 0..<view.outerCount {
                        let start = output * (row + extra)
                        let own = UnsafeRawBufferPointer(rebasing: scaled[output * row..<(output + 1) * row])
                        let new = UnsafeRawBufferPointer(
                            rebasing: sums[output * extra..<(output + 1) * extra])
                        UnsafeMutableRawBufferPointer(rebasing: target[start..<start + row]).copyMemory(
                            from: own)
                        UnsafeMutableRawBufferPointer(rebasing: target[start + row..<start + row + extra])
                            .copyMemory(from: new)
                    }
                }
            }
        }
    }

    private static func pads(of conv: Conv, kernel: Shape, input: [Dimension]?) -> [Int]? {
        var (begins, ends) = ([0, 0], [0, 0])
        for axis in 0..<kernel.rank - 2 {
            switch conv.window.padding {
            case .explicit(let stated, let others):
                guard axis < stated.count, axis < others.count else { return nil }
                begins.append(stated[axis])
                ends.append(others[axis])
            case .valid, nil:
                begins.append(0)
                ends.append(0)
            case .sameUpper, .sameLower:
                let extent = input.flatMap { axis + 2 < $0.count ? $0[axis + 2].value : nil }
                // One element and a stride of 1 need no pad, whatever the input's extent is.
                let isPoint = kernel[axis + 2] == 1 && conv.window.stride(axis) == 1
                guard let extent = isPoint ? 1 : extent,
                    let resolved = try? conv.window.axis(axis, input: extent, kernel: kernel[axis + 2])
                else { return nil }
                begins.append(resolved.padBegin)
                ends.append(resolved.padEnd)
            }
        }
        return begins + ends
    }
}
