import CKernels
import Graph
import Kernels
import Tensors

/// Conv with constant 32-bit weights over one to three spatial axes.
struct ConvolutionLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard let operation = node.operation as? Conv, let input = node.input(0), context.isFloat(input),
            let weight = context.graph.fixedConstant(node.input(1)), weight.elementType == .float32,
            (3...5).contains(weight.shape.rank), weight.shape.count > 0
        else { return nil }
        var bias: FloatMemory?
        if let name = node.input(2) {
            guard let floats = context.constantFloats(name) else { return nil }
            bias = FloatMemory(floats)
        }
        let kernel = Array(weight.shape.dimensions.dropFirst(2))
        if weight.shape[1] == 1, operation.group > 1 {
            return LoweredNode(
                operation: DepthwiseOperation(
                    window: operation.window, kernel: kernel, group: operation.group,
                    outputChannels: weight.shape[0], weights: FloatMemory(weight), bias: bias,
                    kernels: context.kernels),
                inputs: [input])
        }
        let depth = kernel.reduce(weight.shape[1], *)
        let rows = weight.shape[0] / operation.group
        let packed = weight.withUnsafeBytes { bytes in
            PackedMatrix(
                bytes, lines: rows, depth: depth, width: context.kernels.tileRows, lineStride: depth,
                depthStride: 1, matrixCount: operation.group, matrixStride: rows * depth)
        }
        return LoweredNode(
            operation: ConvolutionOperation(
                window: operation.window, kernel: kernel, group: operation.group,
                inputChannels: weight.shape[1], weights: packed, bias: bias, kernels: context.kernels),
            inputs: [input])
    }
}
