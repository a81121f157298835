import CKernels
import Graph
import Kernels
import Tensors

/// Conv with constant 32-bit weights over one to three spatial axes.
struct ConvolutionLowering: Lowering {
    /// The channels from which on a convolution in small groups is worth the reordering of a plain input.
    private static let minimumBlockedChannels = BlockedShape.blockSize / 2

    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard let operation = node.operation as? Conv, let input = node.input(0), context.isFloat(input),
            let weight = context.graph.fixedConstant(node.input(1)), weight.elementType == .float32,
            (3...5).contains(weight.shape.rank), weight.shape.count > 0
        else { return nil }
        let bias = context.constantFloats(node.input(2))
        guard node.input(2) == nil || bias?.count == weight.shape[0] else { return nil }
        let kernel = Array(weight.shape.dimensions.dropFirst(2))
        if let groups = Self.blockedGroups(node, context) {
            return LoweredNode(operation: groups, inputs: [input], layout: .blocked)
        }
        if weight.shape[1] == 1, operation.group > 1 {
            return LoweredNode(
                operation: DepthwiseOperation(
                    window: operation.window, kernel: kernel, group: operation.group,
                    outputChannels: weight.shape[0], weights: FloatMemory(weight),
                    bias: bias.map(FloatMemory.init),
                    kernels: context.kernels),
                inputs: [input])
        }
        let rows = weight.shape[0] / operation.group
        let taps = kernel.reduce(1, *)
        func pack(inputChannels: Int, taps: Int) -> BlockedWeights {
            weight.withUnsafeBytes { bytes in
                BlockedWeights(
                    bytes, groups: operation.group, inputChannels: inputChannels, outputChannels: rows,
                    taps: taps, bias: bias, kernels: context.kernels,
                    packing: context.packing)
            }
        }
        if operation.group == 1, context.layout(input) == .plain,
            weight.shape[1] <= PlanarConvolutionOperation.maximumChannels
        {
            return LoweredNode(
                operation: PlanarConvolutionOperation(
                    window: operation.window, kernel: kernel, inputChannels: weight.shape[1],
                    weights: pack(inputChannels: 1, taps: weight.shape[1] * taps), kernels: context.kernels),
                inputs: [input], inputLayouts: [.plain], outputLayout: .blocked)
        }
        if operation.group == 1
            || Self.fitsBlocks(inputChannels: weight.shape[1], outputChannels: rows, context.kernels)
        {
            return LoweredNode(
                operation: BlockedConvolutionOperation(
                    window: operation.window, kernel: kernel,
                    weights: pack(inputChannels: weight.shape[1], taps: taps),
                    kernels: context.kernels),
                inputs: [input], layout: .blocked)
        }
        let depth = kernel.reduce(weight.shape[1], *)
        let packed = weight.withUnsafeBytes { bytes in
            PackedMatrix(
                bytes, lines: rows, depth: depth, width: context.kernels.tileRows, lineStride: depth,
                depthStride: 1, matrixCount: operation.group, matrixStride: rows * depth,
                packing: context.packing)
        }
        return LoweredNode(
            operation: ConvolutionOperation(
                window: operation.window, kernel: kernel, group: operation.group,
                inputChannels: weight.shape[1], weights: packed, bias: bias.map { FloatMemory($0) },
                kernels: context.kernels),
            inputs: [input])
    }

    /// The convolution of a node whose groups have as many output as input channels, one or several that lie side by side in a
    /// vector, on channel blocks; `nil` for any other.
    static func blockedGroups(_ node: Node, _ context: LoweringContext) -> BlockedGroupsOperation? {
        let bias = context.constantFloats(node.input(2))
        // Few plain channels would fill a block badly.
        guard let operation = node.operation as? Conv, operation.group > 1, context.isFloat(node.input(0)),
            let weight = context.graph.fixedConstant(node.input(1)), weight.elementType == .float32,
            (3...5).contains(weight.shape.rank), weight.shape.count > 0,
            weight.shape[1] < context.kernels.lanes, context.kernels.lanes.isMultiple(of: weight.shape[1]),
            weight.shape[0] == operation.group * weight.shape[1],
            node.input(2) == nil || bias?.count == weight.shape[0],
            context.layout(node.input(0)) == .blocked || weight.shape[0] >= minimumBlockedChannels
        else { return nil }
        return try? BlockedGroupsOperation(
            window: operation.window, weight: weight, bias: bias, kernels: context.kernels)
    }

    /// Whether groups of so many channels begin and end with a block, or lie side by side in one and fill vectors.
    private static func fitsBlocks(inputChannels: Int, outputChannels: Int, _ kernels: KernelTable) -> Bool {
        let size = BlockedShape.blockSize
        return [inputChannels, outputChannels].allSatisfy {
            $0.isMultiple(of: size) || size.isMultiple(of: $0)
        }
            && outputChannels.isMultiple(of: kernels.lanes)
    }
}
