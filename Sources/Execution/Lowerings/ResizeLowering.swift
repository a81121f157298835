import CKernels
import Graph
import Kernels
import Tensors

/// Resize of 32-bit floats whose scales or sizes are constants or follow from the shapes of a run.
struct ResizeLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard let resize = node.operation as? Resize, let input = node.input(0), context.isFloat(input) else {
            return nil
        }
        var constants: [ExactTensor?] = []
        for (index, name) in node.inputs.enumerated() {
            guard let name, index > 0 else {
                constants.append(nil)
                continue
            }
            let tensor = context.graph.fixedConstant(name)
            guard tensor != nil || context.info(name)?.elementType == .int64 else { return nil }
            constants.append(tensor.map(ExactTensor.init))
        }
        var operation = ResizeOperation(resize: resize, node: node, constants: constants)
        let inputs = node.inputs.compactMap { $0 }
        guard context.layout(input) == .blocked, operation.keepsChannels(context) else {
            return LoweredNode(operation: operation, inputs: inputs)
        }
        operation.layout = .blocked
        return LoweredNode(
            operation: operation, inputs: inputs,
            inputLayouts: [.blocked] + inputs.dropFirst().map { _ in .plain }, outputLayout: .blocked)
    }
}

/// An input blended along one axis after the other.
struct ResizeOperation: LoweredOperation {
    let resize: Resize
    let node: Node
    /// By the node's inputs; `nil` for the first and for what a run computes.
    let constants: [ExactTensor?]
    /// Of the first input and the output; blocked ones keep their items and channels.
    var layout = ValueLayout.plain

    var kernelName: String { "blend along axes" + layout.kernelSuffix }

    /// Whether it is known that only spatial axes change, and by how much.
    func keepsChannels(_ context: LoweringContext) -> Bool {
        guard zip(node.inputs, constants).dropFirst().allSatisfy({ $0 == nil || $1 != nil }),
            node.attributes["axes"] == nil, node.attributes["keep_aspect_ratio_policy"] == nil,
            let input = context.info(node.input(0))?.dimensions,
            let output = context.info(node.outputs[0])?.dimensions,
            input.prefix(2) == output.prefix(2), !input.prefix(2).contains(.unknown)
        else { return false }
        // It reads a region, and fills what lies outside of the input.
        if case .string("tf_crop_and_resize") = node.attributes["coordinate_transformation_mode"] {
            return false
        }
        let last = constants.last { $0 != nil } ?? nil
        if let scales = last?.reals, scales.count == input.count { return scales[0] == 1 && scales[1] == 1 }
        return last?.integers != nil
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let (input, output) = (shapes.inputs[0], shapes.outputs[0])
        if output.count == 0 { return ScheduledOperation([]) }
        guard input.count > 0, let arguments = arguments(shapes) else {
            guard layout == .plain else {
                throw .graph(.input(node.type, reason: "an axis without elements is resized").at(node))
            }
            return ScheduledOperation(.evaluation(node))
        }
        let taps: [[Interpolation.Taps]?]?
        do {
            taps = try resize.taps(arguments, from: input, to: output)
        } catch {
            throw .graph(error.at(node))
        }
        guard let taps else { return ScheduledOperation(.evaluation(node)) }
        // The axes that shrink first: then no pass is larger than both the input and the output.
        let order = taps.indices.filter { taps[$0] != nil }
            .sorted { output[$0] - input[$0] < output[$1] - input[$1] }
        guard !order.isEmpty else { return ScheduledOperation(.view(input: 0)) }
        return passes(order, taps, try layout.memoryShape(input), try layout.memoryShape(output))
    }

    private func passes(
        _ order: [Int], _ taps: [[Interpolation.Taps]?], _ input: Shape, _ output: Shape
    ) -> ScheduledOperation {
        var dimensions = input.dimensions
        var phases: [ScheduledOperation.Phase] = []
        // Results between two passes lie in one half of the scratch or the other.
        let half = max(input.count, output.count)
        for (number, axis) in order.enumerated() {
            let pass = BlendPass(taps[axis] ?? [], dimensions, axis)
            let (isFirst, isLast) = (number == 0, number == order.count - 1)
            let (from, to) = ((number + 1) % 2 * half, number % 2 * half)
            phases.append(
                ScheduledOperation.Phase(taskCount: pass.chunks.count) { memory, task in
                    pass.run(
                        task, from: isFirst ? memory.input(0) : UnsafePointer(memory.scratch + from),
                        to: isLast ? memory.output(0) : memory.scratch + to)
                })
            dimensions[axis] = output[axis]
        }
        var result = ScheduledOperation(phases)
        result.scratchCount = order.count > 1 ? (order.count > 2 ? 2 : 1) * half : 0
        return result
    }

    /// The node's inputs as its evaluation gets them, without the first; `nil` when a run must compute one.
    private func arguments(_ shapes: StepShapes) -> [ExactTensor?]? {
        var result: [ExactTensor?] = []
        var position = 0
        for (index, name) in node.inputs.enumerated() {
            defer { if name != nil { position += 1 } }
            guard name != nil, index > 0 else {
                result.append(nil)
                continue
            }
            if let constant = constants[index] {
                result.append(constant)
            } else if let elements = shapes.inputElements[position], let shape = try? Shape([elements.count])
            {
                result.append(
                    ExactTensor(integers: elements.map { Int64($0) }, shape: shape, elementType: .int64))
            } else {
                return nil
            }
        }
        return result
    }
}

/// One axis of a tensor [outer, extent, inner] blended to another extent.
private struct BlendPass: Sendable {
    private let indices: [Int]
    private let weights: [Float]
    private let outputs: Int
    private let tapCount: Int
    private let extent: Int
    private let inner: Int
    /// Of the outer axes.
    let chunks: Chunks

    init(_ taps: [Interpolation.Taps], _ dimensions: [Int], _ axis: Int) {
        outputs = taps.count
        tapCount = taps.first?.indices.count ?? 0
        indices = taps.flatMap(\.indices)
        weights = taps.flatMap { $0.weights.map { Float($0) } }
        extent = dimensions[axis]
        inner = dimensions[(axis + 1)...].reduce(1, *)
        chunks = Chunks.rows(
            dimensions[..<axis].reduce(1, *), length: max(extent, outputs) * inner)
    }

    func run(_ task: Int, from source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>) {
        for row in chunks[task] {
            ck_blend(
                target + row * outputs * inner, source + row * extent * inner, indices, weights, outputs,
                tapCount,
                inner)
        }
    }
}
