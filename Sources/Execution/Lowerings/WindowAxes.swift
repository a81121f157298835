import Graph
import Kernels
import Tensors

extension WindowGeometry {
    /// The geometry of `window` between two shapes [N, C, …]; `nil` when no kernel takes it.
    init?(_ window: Window, kernel: [Int], input: Shape, output: Shape) {
        guard input.rank == kernel.count + 2, output.rank == input.rank, (1...3).contains(kernel.count) else {
            return nil
        }
        var axes: [WindowAxis] = []
        for axis in kernel.indices {
            var made = WindowAxis(
                input: input[axis + 2], output: output[axis + 2], kernel: kernel[axis],
                stride: window.strides?[axis] ?? 1, dilation: window.dilations?[axis] ?? 1, padBegin: 0)
            switch window.padding {
            case .explicit(let begins, _): made.padBegin = begins[axis]
            case .sameUpper, .sameLower:
                let total = Self.samePadding(made)
                made.padBegin = window.padding == .sameUpper ? total / 2 : total - total / 2
            case .valid, nil: break
            }
            axes.append(made)
        }
        self.init(axes)
    }

    /// All pads that SAME needs on an axis; inference has bounded every number.
    private static func samePadding(_ axis: WindowAxis) -> Int {
        max(0, (axis.output - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1 - axis.input)
    }
}
