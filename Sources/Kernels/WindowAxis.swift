/// How a window slides along one spatial axis.
package struct WindowAxis: Hashable, Sendable {
    package var input: Int
    package var output: Int
    package var kernel: Int
    package var stride: Int
    package var dilation: Int
    package var padBegin: Int

    package init(input: Int, output: Int, kernel: Int, stride: Int, dilation: Int, padBegin: Int) {
        self.input = input
        self.output = output
        self.kernel = kernel
        self.stride = stride
        self.dilation = dilation
        self.padBegin = padBegin
    }

    /// An axis on which nothing slides.
    package static func whole(_ extent: Int) -> WindowAxis {
        WindowAxis(input: extent, output: extent, kernel: 1, stride: 1, dilation: 1, padBegin: 0)
    }

    /// `given` as depth, height and width; axes on which nothing slides are merged, so that rows are long.
    static func volume(_ given: [WindowAxis]) -> [WindowAxis] {
        let axes = [WindowAxis](repeating: .whole(1), count: 3 - given.count) + given
        guard axes[2].isIdentity, axes[1].isIdentity else { return axes }
        let row = axes[1].output * axes[2].output
        guard axes[0].isIdentity else { return [.whole(1), axes[0], .whole(row)] }
        return [.whole(1), .whole(1), .whole(axes[0].output * row)]
    }

    /// Whether output i is made from input i alone.
    package var isIdentity: Bool { kernel == 1 && stride == 1 && padBegin == 0 && input == output }

    /// Whether positions along the axis can be computed without overflow.
    var isAddressable: Bool {
        let numbers = [input, output, kernel, stride, dilation, padBegin]
        guard numbers.allSatisfy({ $0 >= 0 && $0 <= Self.maximumNumber }), stride > 0 else { return false }
        return !kernel.multipliedReportingOverflow(by: dilation).overflow
    }

    /// The greatest extent, kernel, stride, dilation or padding.
    static let maximumNumber = 1 << 40

    /// Whether every tap of every output lies inside the input, neighbours beside neighbours.
    var isDirect: Bool { stride == 1 && padBegin == 0 && output - 1 + (kernel - 1) * dilation < input }

    /// The remainders of tap positions by the stride, each once: a strided window reads each of them contiguously.
    var phases: [Int] {
        var seen: Set<Int> = []
        return (0..<kernel).map { $0 * dilation % stride }.filter { seen.insert($0).inserted }
    }

    /// The elements of each phase.
    var extent: Int { output + (kernel - 1) * dilation / stride }
}
