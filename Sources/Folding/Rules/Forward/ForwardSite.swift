import Graph
import Tensors

/// A value on the way of an affine: what it was is `affine` of what `replacement` is.
struct ForwardFlow {
    let value: String
    let replacement: String
    let affine: Affine
}

/// A node that reads values on the way of an affine.
struct ForwardSite {
    let node: Node
    /// By the positions of the inputs.
    let flows: [Int: ForwardFlow]
    let context: FoldContext

    /// The node, reading the values before the affine.
    var rewired: Node {
        var result = node
        for (position, flow) in flows { result.inputs[position] = flow.replacement }
        return result
    }

    /// The flow of the first input. Throws when another input has one: a weight that the affine makes, say.
    func onlyFirst() throws(FoldRefusal) -> ForwardFlow {
        guard let flow = flows[0], flows.count == 1 else {
            throw FoldRefusal("it reads the value at an input that is no place for it")
        }
        return flow
    }

    func dimensions(of value: String?) -> [Dimension]? {
        value.flatMap { context.values[$0]?.dimensions }
    }

    /// The dimensions of the first input, whose affine's axis is one of them.
    func inputDimensions() throws(FoldRefusal) -> [Dimension] {
        guard let dimensions = dimensions(of: node.input(0)) else {
            throw FoldRefusal("the rank of its input is not known")
        }
        return dimensions
    }

    /// The first input's affine, with as many channels as `axis` has elements.
    ///
    /// An affine that does the same to every channel is on whichever axis it is wanted.
    func affine(on axis: Int, count: Int? = nil) throws(FoldRefusal) -> Affine {
        let affine = try onlyFirst().affine
        let known = dimensions(of: node.input(0)).flatMap { axis < $0.count ? $0[axis].value : nil }
        if affine.axis != axis, let wanted = count ?? known,
            let uniform = affine.spread(over: wanted, axis: axis)
        {
            return uniform
        }
        guard affine.axis == axis else {
            throw FoldRefusal("the channels are on axis \(affine.axis), it takes them on axis \(axis)")
        }
        guard count == nil || count == affine.scale.count else {
            throw FoldRefusal("it takes \(count ?? 0) channels, there are \(affine.scale.count)")
        }
        return affine
    }
}

extension Affine {
    var hasScale: Bool { scale.contains { $0 != 1 } }
    var isUniform: Bool { spread(over: 1, axis: 0) != nil }

    /// x + `shift`, for the constants behind a weight.
    init(shift: [Double], axis: Int) {
        self.init(scale: [Double](repeating: 1, count: shift.count), shift: shift, axis: axis)
    }

    /// The same on another axis.
    func moved(to axis: Int) -> Affine { Affine(scale: scale, shift: shift, axis: axis) }

    /// The one value that every channel makes `target` of, exact but for the last bits of a Float64 and then rounded once
    /// to `type`; what a pad before the affine must be for one of `target` behind it.
    func preimage(of target: Double, type: ElementType) -> Double? {
        // Where nothing is left of the value, nothing follows from the pad behind it: not provable, and not worth it.
        guard !scale.contains(0) || shift.allSatisfy({ $0 == target }) else { return nil }
        let first = scale.indices.first { scale[$0] != 0 }
        let quotient = first.map { (target - shift[$0]) / scale[$0] } ?? 0
        let rounded = ExactTensor(reals: [quotient], shape: .scalar, elementType: type).rounded.reals
        guard let value = rounded?.first, value.isFinite else { return nil }
        let isExact = scale.indices.allSatisfy { channel in
            let magnitude = max(abs(shift[channel]), abs(target))
            return abs(scale[channel] * quotient + shift[channel] - target) <= 4 * magnitude.ulp
                && (magnitude != 0 || scale[channel] * value == 0)
        }
        return isExact ? value : nil
    }
}
