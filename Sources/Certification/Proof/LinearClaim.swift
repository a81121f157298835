/// What a form says that a linear operator gives, computed from its rows, columns, taps and shifts alone: slow, for few
/// elements.
struct LinearClaim {
    private struct Coefficient {
        let row, column: Int
        /// The kernel's coordinates.
        let tap: [Int]
        let value: Double
    }

    private let map: LinearMap
    private let coefficients: [Coefficient]
    /// For each element of the output.
    private let shifts: [Double]
    private let input: [Int]
    private let output: [Int]

    /// `input` and `output` are the extents of what goes in and comes out.
    init(_ map: LinearMap, shift: Field?, input: [Int], output: [Int]) {
        self.map = map
        self.input = input
        self.output = output
        let field = shift ?? Field(uniform: .zero, rank: output.count)
        shifts = field.positions(in: output).map { field.balls[$0].center }
        var coefficients: [Coefficient] = []
        let view = map.weight
        view.forEachOuter { outer, elements in
            for middle in 0..<view.middleCount {
                let (row, column) = (view.row(outer, middle), view.column(outer, middle))
                let factor = (view.rowFactor(row) * view.columnFactor(column)).center
                for tap in 0..<view.innerCount {
                    coefficients.append(
                        Coefficient(
                            row: row, column: column, tap: Self.coordinates(tap, in: map.kernel),
                            value: factor * elements[middle * view.innerCount + tap]))
                }
            }
        }
        self.coefficients = coefficients
    }

    func outputs(of values: [Double]) -> [Double] {
        var result = shifts
        switch map.geometry {
        case .convolution(let pads, let strides, let dilations, let kernel, _):
            for place in places(in: output) {
                func source(_ tap: [Int]) -> [Int]? {
                    let coordinates = kernel.indices.map { axis in
                        place[axis] * strides[axis] + tap[axis] * dilations[axis] - pads[axis]
                    }
                    return zip(coordinates, input[2...]).allSatisfy { (0..<$1).contains($0) }
                        ? coordinates : nil
                }
                for coefficient in coefficients {
                    guard let source = source(coefficient.tap) else { continue }
                    result[offset(coefficient.row, place, output)] +=
                        coefficient.value * values[offset(coefficient.column, source, input)]
                }
                guard let tapShift = map.tapShift else { continue }
                let count = map.weight.innerCount
                for (index, ball) in tapShift.enumerated()
                where source(Self.coordinates(index % count, in: kernel)) != nil {
                    result[offset(index / count, place, output)] += ball.center
                }
            }
        case .transposedConvolution(let pads, let strides, let dilations, let kernel, _, _):
            for place in places(in: input) {
                for coefficient in coefficients {
                    let target = kernel.indices.map { axis in
                        place[axis] * strides[axis] + coefficient.tap[axis] * dilations[axis] - pads[2 * axis]
                    }
                    guard zip(target, output[2...]).allSatisfy({ (0..<$1).contains($0) }) else { continue }
                    result[offset(coefficient.row, target, output)] +=
                        coefficient.value * values[offset(coefficient.column, place, input)]
                }
            }
        case .product(let contractedFromLast):
            // The last two axes; others in front are rows of the same kind.
            let rank = input.count
            let contracted = rank - 1 - contractedFromLast
            let others = input.indices.filter { $0 != contracted }.map { input[$0] }
            for place in 0..<others.reduce(1, *) {
                for coefficient in coefficients {
                    let source =
                        contractedFromLast == 0
                        ? place * input[contracted] + coefficient.column
                        : coefficient.column * others[0] + place
                    result[place * output[rank - 1] + coefficient.row] += coefficient.value * values[source]
                }
            }
        case .leftProduct:
            let (depth, columns) = (input[input.count - 2], input[input.count - 1])
            let rows = output[output.count - 2]
            for outer in 0..<input.dropLast(2).reduce(1, *) {
                for column in 0..<columns {
                    for coefficient in coefficients {
                        result[(outer * rows + coefficient.row) * columns + column] +=
                            coefficient.value
                            * values[(outer * depth + coefficient.column) * columns + column]
                    }
                }
            }
        }
        return result
    }

    /// All positions of the spatial axes.
    private func places(in extents: [Int]) -> [[Int]] {
        let spatial = Array(extents[2...])
        return (0..<spatial.reduce(1, *)).map { Self.coordinates($0, in: spatial) }
    }

    /// The element of one item at a channel and a position.
    private func offset(_ channel: Int, _ place: [Int], _ extents: [Int]) -> Int {
        zip(place, extents[2...]).reduce(channel) { $0 * $1.1 + $1.0 }
    }

    private static func coordinates(_ index: Int, in extents: [Int]) -> [Int] {
        var rest = index
        return extents.reversed().map { extent -> Int in
            defer { rest /= extent }
            return rest % extent
        }.reversed()
    }
}

extension LinearMap {
    /// The extents of the taps.
    fileprivate var kernel: [Int] {
        switch geometry {
        case .convolution(_, _, _, let kernel, _), .transposedConvolution(_, _, _, let kernel, _, _): kernel
        case .product, .leftProduct: [1]
        }
    }
}

/// Numbers between 1/2 and 2 of either sign, the same in every run.
struct SmallNumbers {
    private var state: UInt64 = 1

    mutating func next(_ count: Int) -> [Double] {
        (0..<count).map { _ in
            // Knuth, The Art of Computer Programming 2, §3.3.4.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let magnitude = 0.5 + 1.5 * Double(state >> 40) * 0x1p-24
            return state & (1 << 33) == 0 ? magnitude : -magnitude
        }
    }
}
