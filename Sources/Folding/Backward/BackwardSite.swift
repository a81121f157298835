import Graph
import Tensors

/// A node with what its outputs must become, once it holds that nobody else depends on those outputs.
package struct BackwardSite: Sendable {
    package let node: Node
    /// One an output of the node; `nil`: the output stays what it is.
    package let demands: [BackwardDemand?]
    /// The first that is there. Split alone has more than one output that an affine can follow.
    package let demand: BackwardDemand
    let context: FoldContext

    package var affine: Affine { demand.affine }

    /// What is known of input `index`, and of the first output.
    package func input(_ index: Int) -> ValueInfo? { node.input(index).flatMap { context.values[$0] } }

    package var output: ValueInfo? { (node.outputs.first ?? nil).flatMap { context.values[$0] } }

    /// A reason that names this node.
    package func refusal(_ reason: String) -> FoldRefusal { FoldRefusal(reason, blockedBy: node.name) }

    /// The affine, when its channels are the `count` ones of axis `axis`; one that does the same to every channel is
    /// on whichever axis it is wanted.
    func channels(_ count: Int, axis: Int = 1, of role: String) throws(FoldRefusal) -> Affine {
        if let uniform = affine.spread(over: count, axis: axis) { return uniform }
        guard affine.axis == axis else {
            throw refusal("the channels are on axis \(affine.axis), those of \(node.type) on axis \(axis)")
        }
        guard count == affine.scale.count else {
            throw refusal(
                "the \(role) has \(count) output channels, what follows has \(affine.scale.count)")
        }
        return affine
    }

    /// The affine for a value whose axis `axis` has the same channels; `nil`: no axis has, and all channels must be
    /// treated the same.
    package func affine(onAxis axis: Int?) throws(FoldRefusal) -> Affine {
        try placed(affine, onAxis: axis, ofInput: 0)
    }

    /// The same for another affine and another input.
    package func placed(
        _ affine: Affine, onAxis axis: Int?, ofInput index: Int
    ) throws(FoldRefusal) -> Affine {
        let dimensions = input(index)?.dimensions
        if let axis {
            guard let dimensions else {
                return Affine(scale: affine.scale, shift: affine.shift, axis: axis)
            }
            let count = dimensions.indices.contains(axis) ? dimensions[axis].value : 0
            if count == nil || count == affine.scale.count {
                return Affine(scale: affine.scale, shift: affine.shift, axis: axis)
            }
        }
        for axis in [affine.axis, 1] + Array((dimensions ?? []).indices) {
            guard let dimensions, axis < dimensions.count, let count = dimensions[axis].value,
                count <= RecogniseChannelArithmetic.maximumChannelCount,
                let uniform = affine.spread(over: count, axis: axis)
            else { continue }
            return uniform
        }
        throw refusal("the channels of axis \(affine.axis) are not those of one axis before \(node.type)")
    }

    /// A number that older operator sets state as a float32 attribute. Throws where that would round more than the type of
    /// the values does.
    func attribute(_ number: Double, _ role: String) throws(FoldRefusal) -> Float {
        let rounded = Float(number)
        guard rounded.isFinite, output?.elementType != .float64 || Double(rounded) == number else {
            throw refusal("the folded \(role) is no float32, as its attribute is")
        }
        return rounded
    }

    /// Throws unless the shift is 0 in every channel.
    package func requireNoShift() throws(FoldRefusal) {
        guard let channel = affine.shift.firstIndex(where: { $0 != 0 }) else { return }
        throw refusal("\(node.type) does not commute with a shift, channel \(channel) has one")
    }

    /// Throws unless every channel's scale is more than 0, or 0 where that is allowed.
    package func requirePositiveScale(orZero: Bool = false) throws(FoldRefusal) {
        let channel = affine.scale.firstIndex { orZero ? !($0 >= 0) : !($0 > 0) }
        guard let channel else { return }
        throw refusal(
            """
            \(node.type) commutes with positive scales alone, that of channel \(channel) is \
            \(affine.scale[channel])
            """)
    }
}
