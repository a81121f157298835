import Graph
import Kernels
import Tensors

/// Gemm and MatMul of 32-bit floats; a constant right side is packed once.
struct MatrixProductLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard let a = node.input(0), let b = node.input(1), context.isFloat(a), context.isFloat(b) else {
            return nil
        }
        if let gemm = node.operation as? Gemm { return lower(gemm, node, a, b, context) }
        guard node.operation is MatMul, let left = context.info(a)?.rank, let right = context.info(b)?.rank,
            left >= 1, right >= 2
        else { return nil }
        if right == 2, let weight = context.graph.fixedConstant(b), weight.shape.count > 0 {
            let packed = Self.pack(weight, transposed: false, context)
            return LoweredNode(
                operation: MatrixProductOperation(
                    right: .packed(packed), transposesLeft: false, transposesRight: false, bias: nil,
                    kernels: context.kernels),
                inputs: [a])
        }
        guard left >= 2 else { return nil }
        return LoweredNode(
            operation: MatrixProductOperation(
                right: .computed, transposesLeft: false, transposesRight: false, bias: nil,
                kernels: context.kernels),
            inputs: [a, b])
    }

    private func lower(
        _ gemm: Gemm, _ node: Node, _ a: String, _ b: String, _ context: LoweringContext
    ) -> LoweredNode? {
        guard let columns = context.info(b)?.dimensions?[gemm.transposesB ? 0 : 1].value else { return nil }
        var bias: FloatMemory?
        if let name = node.input(2) {
            // One row for all rows; a constant alone can be scaled beforehand.
            guard let tensor = context.graph.fixedConstant(name), let floats = context.constantFloats(name),
                floats.count == 1 || (floats.count == columns && tensor.shape.dimensions.last == columns)
            else { return nil }
            let scaled = floats.map { gemm.beta == 1 ? $0 : gemm.beta * $0 }
            bias = FloatMemory(scaled.count == 1 ? [Float](repeating: scaled[0], count: columns) : scaled)
        }
        if let weight = context.graph.fixedConstant(b), weight.shape.count > 0 {
            let packed = Self.pack(weight, transposed: gemm.transposesB, context)
            if gemm.alpha != 1 {
                for index in 0..<packed.memory.count { packed.memory.pointer[index] *= gemm.alpha }
            }
            return LoweredNode(
                operation: MatrixProductOperation(
                    right: .packed(packed), transposesLeft: gemm.transposesA, transposesRight: false,
                    bias: bias,
                    kernels: context.kernels),
                inputs: [a])
        }
        guard gemm.alpha == 1 else { return nil }
        return LoweredNode(
            operation: MatrixProductOperation(
                right: .computed, transposesLeft: gemm.transposesA, transposesRight: gemm.transposesB,
                bias: bias,
                kernels: context.kernels),
            inputs: [a, b])
    }

    private static func pack(_ weight: Tensor, transposed: Bool, _ context: LoweringContext) -> PackedMatrix {
        let depth = weight.shape[transposed ? 1 : 0]
        let columns = weight.shape[transposed ? 0 : 1]
        return weight.withUnsafeBytes { bytes in
            PackedMatrix(
                bytes, lines: columns, depth: depth, width: context.kernels.tileColumns,
                lineStride: transposed ? depth : 1, depthStride: transposed ? 1 : columns,
                packing: context.packing)
        }
    }
}
