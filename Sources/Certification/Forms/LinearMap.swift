import Graph
import Tensors

/// A convolution, transposed convolution or matrix product with a constant weight:
///
///     y = (r ⊙ W ⊙ q) · x, and for a padded convolution + Σ_{taps inside} S[row, tap]
///
/// r scales the rows (output channels), q the columns (input channels). A shift of the input becomes S where a tap
/// falls into the padding at some positions, and a shift of the output everywhere else.
struct LinearMap: Sendable {
    /// What two maps must have in common.
    enum Geometry: Sendable, Equatable {
        case convolution(pads: [Int], strides: [Int], dilations: [Int], kernel: [Int], group: Int)
        case transposedConvolution(
            pads: [Int], strides: [Int], dilations: [Int], kernel: [Int], group: Int, output: [Int])
        /// x·W over the last axis of x, or over the axis before it.
        case product(contractedFromLast: Int)
        /// W·x.
        case leftProduct
    }

    let node: Node
    let geometry: Geometry
    let input: Core
    var weight: WeightView
    /// For each row, then each tap.
    var tapShift: [Ball]?
    /// The axis of the rows.
    let outputAxis: Int
}

/// A weight with factors for its rows and columns, as it is stored: [outer, middle, inner].
struct WeightView: Sendable {
    let tensor: Tensor
    /// The initializer's name, when it is one.
    let name: String
    let outerCount: Int
    let middleCount: Int
    /// The taps.
    let innerCount: Int
    /// Whether outer positions are rows: in a convolution they are, in a transposed one and in [K, N] columns are.
    let rowsAreOuter: Bool
    let group: Int
    var rowScale: [Ball]?
    var columnScale: [Ball]?
    /// Columns of each group that count; the others multiply zeros.
    var usedColumns: Int
    /// The rows and columns of the initializer that are left, one selection of the tensor's after the other.
    private(set) var selections: [Selection] = []

    struct Selection: Equatable {
        let ofRows: Bool
        let positions: [Int]
    }

    init(
        _ tensor: Tensor, name: String, outerCount: Int, middleCount: Int, innerCount: Int,
        rowsAreOuter: Bool, group: Int = 1
    ) {
        self.tensor = tensor
        self.name = name
        self.outerCount = outerCount
        self.middleCount = middleCount
        self.innerCount = innerCount
        self.rowsAreOuter = rowsAreOuter
        self.group = group
        usedColumns = rowsAreOuter ? middleCount : outerCount / group
    }

    var rowCount: Int { rowsAreOuter ? outerCount : middleCount * group }
    var columnCount: Int { rowsAreOuter ? middleCount * group : outerCount }

    /// The row and the column of an element; groups have columns of their own, and rows.
    func row(_ outer: Int, _ middle: Int) -> Int {
        rowsAreOuter ? outer : outer / (outerCount / group) * middleCount + middle
    }

    func column(_ outer: Int, _ middle: Int) -> Int {
        rowsAreOuter ? outer / (outerCount / group) * middleCount + middle : outer
    }

    func isUsed(_ outer: Int, _ middle: Int) -> Bool {
        rowsAreOuter ? middle < usedColumns : outer % (outerCount / group) < usedColumns
    }

    func rowFactor(_ row: Int) -> Ball { rowScale?[row] ?? .one }
    func columnFactor(_ column: Int) -> Ball { columnScale?[column] ?? .one }

    mutating func scaleRows(by factors: [Ball]) {
        rowScale = rowScale.map { zip($0, factors).map { $0 * $1 } } ?? factors
    }

    mutating func scaleColumns(by factors: [Ball]) {
        columnScale = columnScale.map { zip($0, factors).map { $0 * $1 } } ?? factors
    }

    /// The rows, or the columns, at these positions alone, of a weight of one group.
    func selecting(rows ofRows: Bool, _ positions: [Int]) -> WeightView {
        let isOuter = ofRows == rowsAreOuter
        var result = WeightView(
            tensor.selecting(positions, axis: isOuter ? 0 : 1), name: name,
            outerCount: isOuter ? positions.count : outerCount,
            middleCount: isOuter ? middleCount : positions.count, innerCount: innerCount,
            rowsAreOuter: rowsAreOuter)
        func factors(_ all: [Ball]?, _ isSelected: Bool) -> [Ball]? {
            isSelected ? all.map { all in positions.map { all[$0] } } : all
        }
        result.rowScale = factors(rowScale, ofRows)
        result.columnScale = factors(columnScale, !ofRows)
        result.selections = selections + [Selection(ofRows: ofRows, positions: positions)]
        return result
    }

    /// Calls `body` with the elements of each outer position, in order.
    func forEachOuter<Failure: Error>(
        _ body: (_ outer: Int, _ elements: [Double]) throws(Failure) -> Void
    ) throws(Failure) {
        let reader = ElementReader(tensor)
        let count = middleCount * innerCount
        var elements = [Double](repeating: 0, count: count)
        for outer in 0..<outerCount {
            reader.read(outer * count, into: &elements)
            try body(outer, elements)
        }
        tensor.releasePages()
    }

    /// Σ over all columns of a row and tap of r·W·q·t: for each row, then each tap.
    func products(with shift: [Ball]) -> [Ball] {
        let count = rowCount * innerCount
        var centers = [Double](repeating: 0, count: count)
        var magnitudes = centers
        var errors = centers
        var terms = [Int](repeating: 0, count: rowCount)
        forEachOuter { outer, elements in
            for middle in 0..<middleCount where isUsed(outer, middle) {
                let (row, column) = (row(outer, middle), column(outer, middle))
                let factor = rowFactor(row) * columnFactor(column) * shift[column]
                if factor.isExactly(0) { continue }
                terms[row] += 1
                for tap in 0..<innerCount {
                    let element = elements[middle * innerCount + tap]
                    let product = element * factor.center
                    centers[row * innerCount + tap] += product
                    magnitudes[row * innerCount + tap] += abs(product)
                    errors[row * innerCount + tap] += abs(element) * factor.radius
                }
            }
        }
        return centers.indices.map { index in
            // n additions and n products of rounded numbers (Higham 2002, §3.1).
            let growth = Double(terms[index / innerCount] + 2) * Ball.roundoff * Ball.inflation
            return Ball(
                rounded: centers[index], error: errors[index] * (1 + growth) + growth * magnitudes[index],
                mass: magnitudes[index])
        }
    }
}

/// Reads the elements of a floating tensor as Float64.
struct ElementReader {
    let tensor: Tensor

    init(_ tensor: Tensor) { self.tensor = tensor }

    /// The elements from `start` on. Traps beyond the tensor's end.
    func read(_ start: Int, into elements: inout [Double]) {
        precondition(start + elements.count <= tensor.shape.count, "elements of the tensor")
        tensor.withUnsafeBytes { bytes in
            switch tensor.elementType {
            case .float32: Self.loadFloats(bytes, start, &elements)
            case .float64: Self.load(bytes, start, &elements, as: Double.self) { $0 }
            case .float16: Self.load(bytes, start, &elements, as: Float16.self) { Double($0) }
            default:
                Self.load(bytes, start, &elements, as: UInt16.self) {
                    Double(BFloat16(bitPattern: $0).floatValue)
                }
            }
        }
    }

    private static func loadFloats(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ elements: inout [Double])
    {
        typealias Lanes = SIMD4<Float>
        let size = MemoryLayout<Float>.stride
        elements.withUnsafeMutableBytes { target in
            let count = target.count / MemoryLayout<Double>.stride
            var index = 0
            while index + Lanes.scalarCount <= count {
                let lanes = bytes.loadUnaligned(fromByteOffset: (start + index) * size, as: Lanes.self)
                target.storeBytes(
                    of: SIMD4<Double>(lanes), toByteOffset: index * MemoryLayout<Double>.stride,
                    as: SIMD4<Double>.self)
                index += Lanes.scalarCount
            }
            while index < count {
                let element = bytes.loadUnaligned(fromByteOffset: (start + index) * size, as: Float.self)
                target.storeBytes(
                    of: Double(element), toByteOffset: index * MemoryLayout<Double>.stride, as: Double.self)
                index += 1
            }
        }
    }

    @inline(__always)
    private static func load<Stored: BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ elements: inout [Double], as type: Stored.Type,
        _ convert: (Stored) -> Double
    ) {
        let stride = MemoryLayout<Stored>.stride
        for index in elements.indices {
            elements[index] = convert(
                bytes.loadUnaligned(fromByteOffset: (start + index) * stride, as: Stored.self))
        }
    }
}
