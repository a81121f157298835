/// How a window moves over the spatial axes of an input: what convolutions and pools share.
///
/// Attributes: `kernel_shape`, `strides` (1), `dilations` (1), `pads` (0; all begins, then all ends) and `auto_pad`
/// (`NOTSET`, `SAME_UPPER`, `SAME_LOWER`, `VALID`; ONNX deprecates it and exporters still write it).
package struct Window: Sendable {
    package enum Padding: Sendable, Equatable {
        case explicit(begins: [Int], ends: [Int])
        /// ⌈input/stride⌉ outputs; an odd pad is at the end.
        case sameUpper
        /// ⌈input/stride⌉ outputs; an odd pad is at the beginning.
        case sameLower
        case valid
    }

    /// One spatial axis with every number resolved.
    package struct Axis: Sendable, Equatable {
        package let input: Int
        package let kernel: Int
        package let stride: Int
        package let dilation: Int
        package let padBegin: Int
        package let padEnd: Int
        package let output: Int
    }

    private enum AutoPad: String, CaseIterable {
        case notSet = "NOTSET"
        case sameUpper = "SAME_UPPER"
        case sameLower = "SAME_LOWER"
        case valid = "VALID"
    }

    package let kernel: [Int]?
    package let strides: [Int]?
    package let dilations: [Int]?
    /// `nil`: no pads.
    package let padding: Padding?
    private let operatorType: String

    /// The flags say which of the attributes the operator has.
    init(
        _ attributes: inout AttributeReader, hasKernel: Bool = true, hasDilations: Bool = true,
        hasAutoPad: Bool = true
    ) throws(GraphError) {
        operatorType = attributes.operatorType
        let extents = 1...AttributeReader.maximumExtent
        kernel = hasKernel ? try attributes.integers("kernel_shape", in: extents) : nil
        strides = try attributes.integers("strides", in: extents)
        dilations = hasDilations ? try attributes.integers("dilations", in: extents) : nil
        let pads = try attributes.integers("pads", in: 0...AttributeReader.maximumExtent)
        switch hasAutoPad ? try attributes.choice("auto_pad", default: AutoPad.notSet) : .notSet {
        case .sameUpper: padding = .sameUpper
        case .sameLower: padding = .sameLower
        case .valid: padding = .valid
        case .notSet:
            guard let pads else {
                padding = nil
                break
            }
            guard pads.count.isMultiple(of: 2) else {
                throw .attribute(
                    operatorType, name: "pads", reason: "has \(pads.count) numbers, an odd count")
            }
            padding = .explicit(
                begins: Array(pads[..<(pads.count / 2)]), ends: Array(pads[(pads.count / 2)...]))
        }
        let ranks = [kernel?.count, strides?.count, dilations?.count, pads.map { $0.count / 2 }]
        guard Set(ranks.compactMap { $0 }).count <= 1 else {
            throw .attribute(
                operatorType, name: "kernel_shape, strides, dilations, pads",
                reason: "are for different numbers of axes")
        }
    }

    /// How many spatial axes the attributes are for, when one of them says so.
    package var rank: Int? {
        if let count = kernel?.count ?? strides?.count ?? dilations?.count { return count }
        if case .explicit(let begins, _) = padding { return begins.count }
        return nil
    }

    /// Throws when the attributes are for another number of spatial axes.
    func requireRank(_ spatialRank: Int) throws(GraphError) {
        guard let rank, rank != spatialRank else { return }
        throw .input(
            operatorType, reason: "the attributes are for \(rank) spatial axes, the input has \(spatialRank)")
    }

    package func stride(_ axis: Int) -> Int { strides?[axis] ?? 1 }
    package func dilation(_ axis: Int) -> Int { dilations?[axis] ?? 1 }

    /// The window on one axis. `roundsUp`: ceil_mode, whose last window must still begin inside the input or its
    /// beginning pad.
    package func axis(
        _ axis: Int, input: Int, kernel: Int, roundsUp: Bool = false
    ) throws(GraphError) -> Axis {
        let (stride, dilation) = (stride(axis), dilation(axis))
        let extent = try extent(kernel: kernel, dilation: dilation)
        func made(_ padBegin: Int, _ padEnd: Int, _ output: Int) -> Axis {
            Axis(
                input: input, kernel: kernel, stride: stride, dilation: dilation, padBegin: padBegin,
                padEnd: padEnd, output: output)
        }
        var (padBegin, padEnd) = (0, 0)
        switch padding {
        case .sameUpper, .sameLower:
            let output = (input + stride - 1) / stride
            let total = max(0, (output - 1) * stride + extent - input)
            let lesser = total / 2
            return padding == .sameUpper
                ? made(lesser, total - lesser, output) : made(total - lesser, lesser, output)
        case .explicit(let begins, let ends): (padBegin, padEnd) = (begins[axis], ends[axis])
        case .valid, nil: break
        }
        let room = input + padBegin + padEnd - extent
        guard room >= 0 else {
            throw .input(
                operatorType,
                reason: "the window spans \(extent) elements of spatial axis \(axis), the padded input has "
                    + "\(input + padBegin + padEnd)")
        }
        var output = room / stride + 1
        if roundsUp, !room.isMultiple(of: stride), output * stride < input + padBegin { output += 1 }
        return made(padBegin, padEnd, output)
    }

    /// What is known of an output extent before the input's is known.
    func outputDimension(_ axis: Int, input: Dimension, kernel: Int?, roundsUp: Bool = false)
        throws(GraphError)
        -> Dimension
    {
        guard let kernel else { return .unknown }
        if let input = input.value {
            return .known(try self.axis(axis, input: input, kernel: kernel, roundsUp: roundsUp).output)
        }
        guard stride(axis) == 1 else { return .unknown }
        let extent = try extent(kernel: kernel, dilation: dilation(axis))
        switch padding {
        case .sameUpper, .sameLower: return input
        case .explicit(let begins, let ends):
            return begins[axis] + ends[axis] == extent - 1 ? input : .unknown
        case .valid, nil: return extent == 1 ? input : .unknown
        }
    }

    /// How many elements a kernel spans.
    package func extent(kernel: Int, dilation: Int) throws(GraphError) -> Int {
        guard (1...AttributeReader.maximumExtent).contains(kernel) else {
            throw .input(operatorType, reason: "the kernel has an extent of \(kernel)")
        }
        return (kernel - 1) * dilation + 1
    }
}

extension [Window.Axis] {
    /// For each tap of the kernel and each position of the output the offset of the input element in its channel, −1 in
    /// the padding: all positions of the first tap, then those of the second.
    func tapOffsets(positions: Range<Int>) -> [Int] {
        var offsets: [Int] = []
        offsets.reserveCapacity(reduce(1) { $0 * $1.kernel } * positions.count)
        var tap = Odometer(map(\.kernel))
        repeat {
            for position in positions {
                var (rest, offset, stride) = (position, 0, 1)
                for index in indices.reversed() {
                    let axis = self[index]
                    let coordinate =
                        rest % axis.output * axis.stride + tap.indices[index] * axis.dilation - axis.padBegin
                    rest /= axis.output
                    guard coordinate >= 0, coordinate < axis.input else {
                        offset = -1
                        break
                    }
                    offset += coordinate * stride
                    stride *= axis.input
                }
                offsets.append(offset)
            }
        } while tap.advance()
        return offsets
    }
}
