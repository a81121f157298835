import Graph
import Kernels
import Tensors

/// Conv with constant 32-bit weights of 3×3 taps, stride 1 or 2 and no dilation, where Winograd's algorithm is the fastest.
///
/// Which tile is taken depends on the channels and on the extents that are known for every run.
package struct WinogradLowering: Lowering {
    private let tile: WinogradTile?

    /// `tile`: the one that every convolution of its stride takes; `nil`: the best for a layer, if any.
    package init(tile: WinogradTile? = nil) { self.tile = tile }

    package func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard context.usesWinograd, let operation = node.operation as? Conv, operation.group == 1,
            let input = node.input(0), context.isFloat(input),
            let weight = context.graph.fixedConstant(node.input(1)), weight.elementType == .float32,
            weight.shape.rank == 4, weight.shape.count > 0, weight.shape[2] == 3, weight.shape[3] == 3,
            let stride = Self.stride(operation.window),
            (operation.window.dilations ?? []).allSatisfy({ $0 == 1 }),
            let tile = tile
                ?? WinogradTile.best(
                    inputChannels: weight.shape[1], outputChannels: weight.shape[0], stride: stride,
                    outputExtents: Self.extents(context.info(node.outputs[0]))),
            tile.stride == stride
        else { return nil }
        let bias = context.constantFloats(node.input(2))
        guard node.input(2) == nil || bias?.count == weight.shape[0] else { return nil }
        let weights = weight.withUnsafeBytes { bytes in
            WinogradWeights(
                bytes, tile: tile, inputChannels: weight.shape[1], outputChannels: weight.shape[0],
                bias: bias, kernels: context.kernels, packing: context.packing)
        }
        guard let weights else { return nil }
        return LoweredNode(
            operation: WinogradOperation(
                window: operation.window, weights: weights, kernels: context.kernels),
            inputs: [input], layout: .blocked)
    }

    /// That of both axes; `nil` where they differ.
    private static func stride(_ window: Window) -> Int? {
        guard let first = window.strides?.first else { return 1 }
        return window.strides?.allSatisfy { $0 == first } == true ? first : nil
    }

    /// Height and width, where every run has the same.
    private static func extents(_ info: ValueInfo?) -> (height: Int, width: Int)? {
        guard let dimensions = info?.dimensions, dimensions.count == 4, let height = dimensions[2].value,
            let width = dimensions[3].value
        else { return nil }
        return (height, width)
    }
}
