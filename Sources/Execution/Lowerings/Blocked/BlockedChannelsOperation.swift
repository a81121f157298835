import CKernels
import Graph
import Kernels
import Tensors

/// Channels of blocked values in another order or company: Concat, Split, Slice and Gather along the channels.
struct BlockedChannelsOperation: LoweredOperation {
    enum Rule: Sendable {
        /// All inputs behind each other.
        case join
        /// The first input in the outputs' pieces.
        case split
        /// The channels that the walk of a Slice visits.
        case slice(SliceOperation)
        /// These channels of the first input, all inside.
        case gather([Int])
    }

    let rule: Rule
    let kernels: KernelTable
    /// What is done to channels that are joined, on the way.
    private var affine: BlockedAffineOperation?

    init(rule: Rule, kernels: KernelTable) {
        self.rule = rule
        self.kernels = kernels
    }

    var isItemwise: Bool { true }

    var kernelName: String {
        let name =
            switch rule {
            case .join: "joined"
            case .split: "split"
            case .slice: "sliced"
            case .gather: "gathered"
            }
        let done = affine.map { " + Affine" + $0.epilogue.name } ?? ""
        return "\(kernels.instructionSet.rawValue) copy of channels, \(name), blocked" + done
    }

    func absorbing(_ consumer: Node, operand: Int, _ context: LoweringContext) -> AbsorbedOperation? {
        guard case .join = rule, operand == 0 else { return nil }
        var result = self
        if let affine {
            guard let absorbed = affine.absorbing(consumer, operand: operand, context) else { return nil }
            result.affine = absorbed.operation as? BlockedAffineOperation
        } else {
            result.affine = AffineLowering().lower(consumer, context)?.operation as? BlockedAffineOperation
        }
        return result.affine.map { _ in AbsorbedOperation(operation: result) }
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        var inputs: [BlockedShape] = []
        for shape in shapes.inputs.prefix(inputCount(shapes)) { inputs.append(try Self.blocked(shape)) }
        let sources = inputs
        var phases: [ScheduledOperation.Phase] = []
        var first = 0
        for (index, shape) in shapes.outputs.enumerated() {
            let target = try Self.blocked(shape)
            let origins = try origins(shapes, inputs, target.channels, from: first)
            first += target.channels
            guard target.count > 0 else { continue }
            let plan = ChannelPlan(origins)
            let tasks = BlockedRows(target, threadCount: threadCount)
            phases.append(
                ScheduledOperation.Phase(taskCount: tasks.count) { memory, task in
                    tasks.forEachPiece(task) { plane, block, pixels in
                        let place = memory.output(index) + plane * target.blockStride
                        plan.copy(
                            block, sources, memory, item: plane / target.blocks, pixels: pixels, to: place,
                            affine, kernels)
                    }
                })
        }
        return ScheduledOperation(phases)
    }

    private func inputCount(_ shapes: StepShapes) -> Int {
        if case .join = rule { shapes.inputs.count } else { 1 }
    }

    private static func blocked(_ shape: Shape) throws(ExecutionError) -> BlockedShape {
        guard let blocked = BlockedShape(shape) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        return blocked
    }

    /// Where the channels of one output come from; `first`: those of the outputs before it.
    private func origins(
        _ shapes: StepShapes, _ inputs: [BlockedShape], _ count: Int, from first: Int
    ) throws(ExecutionError) -> [ChannelPlan.Origin] {
        switch rule {
        case .join:
            return inputs.indices.flatMap { input in
                (0..<inputs[input].channels).map { ChannelPlan.Origin(input: input, channel: $0) }
            }
        case .split: return (first..<first + count).map { ChannelPlan.Origin(input: 0, channel: $0) }
        case .slice(let slice):
            guard let walk = slice.walks(shapes)?[1] else {
                throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
            }
            return (0..<count).map {
                ChannelPlan.Origin(input: 0, channel: walk.start + $0 * walk.step)
            }
        case .gather(let channels): return channels.map { ChannelPlan.Origin(input: 0, channel: $0) }
        }
    }
}

/// Where the lanes of an output's blocks come from.
struct ChannelPlan: Sendable {
    struct Origin: Sendable {
        let input: Int
        let channel: Int
    }

    private let origins: [Origin]
    /// The blocks that are one block of an input, lane by lane.
    private let isWhole: [Bool]

    init(_ origins: [Origin]) {
        self.origins = origins
        let size = BlockedShape.blockSize
        isWhole = stride(from: 0, to: origins.count, by: size).map { first in
            let head = origins[first]
            guard head.channel.isMultiple(of: size) else { return false }
            return (first..<min(first + size, origins.count)).allSatisfy {
                origins[$0].input == head.input && origins[$0].channel == head.channel + $0 - first
            }
        }
    }

    /// Copies pixels of one block of an item, through `affine` where there is one; `target`: the block's first pixel.
    func copy(
        _ block: Int, _ inputs: [BlockedShape], _ memory: TaskMemory, item: Int, pixels: Range<Int>,
        to target: UnsafeMutablePointer<Float>, _ affine: BlockedAffineOperation?, _ kernels: KernelTable
    ) {
        let size = BlockedShape.blockSize
        let pixel = pixels.lowerBound * size
        func place(_ origin: Origin) -> UnsafePointer<Float> {
            let shape = inputs[origin.input]
            return memory.input(origin.input) + item * shape.itemStride
                + origin.channel / size * shape.blockStride + pixel
        }
        let first = block * size
        if isWhole[block] {
            let source = place(origins[first])
            if let affine {
                affine.run(from: source, to: target + pixel, block: block, pixelCount: pixels.count)
            } else {
                (target + pixel).update(from: source, count: pixels.count * size)
            }
            return
        }
        withUnsafeTemporaryAllocation(of: ck_channel_source.self, capacity: size) { lanes in
            for lane in 0..<size {
                let isPresent = first + lane < origins.count
                lanes.initializeElement(
                    at: lane,
                    to: isPresent
                        ? ck_channel_source(
                            block: place(origins[first + lane]), lane: origins[first + lane].channel % size)
                        : ck_channel_source())
            }
            kernels.functions.pointee.channel_gather(target + pixel, lanes.baseAddress, pixels.count)
        }
        affine?.run(from: target + pixel, to: target + pixel, block: block, pixelCount: pixels.count)
    }
}
