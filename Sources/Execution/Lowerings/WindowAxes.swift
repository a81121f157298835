import Graph
import Kernels
import Tensors

extension WindowAxis {
    /// How `window` slides between two shapes [N, C, …]; `nil` when no kernel takes it.
    static func axes(_ window: Window, kernel: [Int], input: Shape, output: Shape) -> [WindowAxis]? {
        guard input.rank == kernel.count + 2, output.rank == input.rank, (1...3).contains(kernel.count) else {
            return nil
        }
        return kernel.indices.map { axis in
            var made = WindowAxis(
                input: input[axis + 2], output: output[axis + 2], kernel: kernel[axis],
                stride: window.strides?[axis] ?? 1, dilation: window.dilations?[axis] ?? 1, padBegin: 0)
            switch window.padding {
            case .explicit(let begins, _): made.padBegin = begins[axis]
            case .sameUpper, .sameLower:
                let total = made.samePadding
                made.padBegin = window.padding == .sameUpper ? total / 2 : total - total / 2
            case .valid, nil: break
            }
            return made
        }
    }

    /// All pads that SAME needs; inference has bounded every number.
    private var samePadding: Int { max(0, (output - 1) * stride + (kernel - 1) * dilation + 1 - input) }
}

extension WindowGeometry {
    /// The geometry of `window` between two shapes [N, C, …]; `nil` when no kernel takes it.
    init?(_ window: Window, kernel: [Int], input: Shape, output: Shape) {
        guard let axes = WindowAxis.axes(window, kernel: kernel, input: input, output: output) else {
            return nil
        }
        self.init(axes)
    }
}
