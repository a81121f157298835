import Graph
import Tensors

/// Takes an affine through a Slice: channel i of the output is channel start + i·step of the input, whose other channels,
/// which nobody else reads, stay as they are. Slices of other axes leave the channels alone.
///
/// Refuses: on the channel axis, starts, ends, axes or steps that are not constant.
/// Source: ONNX Slice-1, 10, 13.
struct ThroughSlice: BackwardStep {
    let name = "batchnorm-through-slice"
    let types = ["Slice"]
    let rearranges = true

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        if site.affine.isUniform {
            try plan.pass(try site.affine(onAxis: nil), at: site)
            return
        }
        guard let dimensions = site.input(0)?.dimensions, site.affine.axis < dimensions.count else {
            throw site.refusal("the rank of its input is not known")
        }
        let axis = site.affine.axis
        guard let bounds = bounds(of: site, rank: dimensions.count) else {
            throw site.refusal("what it takes is not constant")
        }
        guard let position = bounds.axes.firstIndex(of: axis) else {
            try plan.pass(try site.affine(onAxis: axis), at: site)
            return
        }
        guard let count = dimensions[axis].value,
            count <= RecogniseChannelArithmetic.maximumChannelCount,
            let taken = taken(of: count, by: bounds, position, site),
            let affine = site.affine.placed(at: taken, of: count, axis: axis)
        else { throw site.refusal("the channels that it takes are not known") }
        try plan.pass(affine, at: site)
    }

    private struct Bounds {
        let starts, ends, axes, steps: [Int]
    }

    private func bounds(of site: BackwardSite, rank: Int) -> Bounds? {
        let isStated = site.node.input(1) == nil
        func list(_ input: Int, _ attribute: String) -> [Int]? {
            guard isStated else { return site.input(input)?.knownElements }
            guard case .integers(let stated) = site.node.attributes[attribute] else { return nil }
            return stated.compactMap { Int(exactly: $0) }
        }
        guard let starts = list(1, "starts"), let ends = list(2, "ends"), starts.count == ends.count else {
            return nil
        }
        let hasAxes = isStated ? site.node.attributes["axes"] != nil : site.node.input(3) != nil
        guard let axes = hasAxes ? list(3, "axes") : Array(starts.indices) else { return nil }
        let hasSteps = site.node.input(4) != nil
        guard let steps = hasSteps ? list(4, "") : starts.map({ _ in 1 }) else { return nil }
        guard axes.count == starts.count, steps.count == starts.count else { return nil }
        return Bounds(starts: starts, ends: ends, axes: axes.map { $0 < 0 ? $0 + rank : $0 }, steps: steps)
    }

    /// The channels, as the operator itself takes them of their numbers.
    private func taken(of count: Int, by bounds: Bounds, _ position: Int, _ site: BackwardSite) -> [Int]? {
        func vector(_ elements: [Int]) throws -> ExactTensor {
            ExactTensor(
                integers: elements.map { Int64($0) }, shape: try Shape([elements.count]), elementType: .int64)
        }
        let parts = [bounds.starts[position], bounds.ends[position], 0, bounds.steps[position]]
        guard
            let slice = try? Node.made(
                name: site.node.name, type: "Slice", opset: max(10, site.node.opset),
                inputs: ["channels", "starts", "ends", "axes", "steps"], outputs: ["taken"]),
            let numbers = try? vector(Array(0..<count)),
            let arguments = try? parts.map({ try vector([$0]) }),
            let result = try? slice.operation.evaluate([numbers] + arguments, outputCount: 1)
        else { return nil }
        return result.first?.integers.map { $0.map { Int($0) } }
    }
}
