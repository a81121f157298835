import Tensors

/// The grid of positions that an affine map makes of an image's own: GridSample's second input.
///
/// Inputs: theta [N, r, r + 1], floating, r 2 or 3; size (int64): [N, C, D1…Dr]. Outputs: grid [N, D1…Dr, r], a position's
/// last axis first. Attributes: `align_corners` (0: −1 and 1 are the edges of the outermost elements; 1: their middles,
/// −1 where there is one element). Source: Jaderberg et al. 2015; ONNX AffineGrid-20.
package struct AffineGrid: Operator {
    package static let type = "AffineGrid"

    package let alignsCorners: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        alignsCorners = try attributes.flag("align_corners", default: false)
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (theta, size) = (try required(inputs, 0, "theta"), try required(inputs, 1, "size"))
        try requireFloating(theta, "theta")
        try requireRank(theta, "theta", 3)
        try requireType(size, "size", .int64)
        try requireRank(size, "size", 1)
        var rank = theta.dimensions?[1].value ?? theta.dimensions?[2].value.map { $0 - 1 }
        if let count = size.elements?.count ?? size.dimensions?[0].value {
            guard count == 4 || count == 5 else { throw error("size has \(count) elements, expected 4 or 5") }
            rank = rank ?? count - 2
            guard rank == count - 2 else {
                throw error("theta \(theta) is for \(rank ?? 0) spatial axes, size for \(count - 2)")
            }
        }
        guard let rank else { return [ValueInfo(theta.elementType, nil)] }
        guard rank == 2 || rank == 3 else { throw error("theta \(theta) is for \(rank) spatial axes") }
        if let dimensions = theta.dimensions {
            guard dimensions[1].unified(with: .known(rank)) != nil,
                dimensions[2].unified(with: .known(rank + 1)) != nil
            else { throw error("theta \(theta) holds no matrices of \(rank)×\(rank + 1)") }
        }
        let extents = size.elements ?? [Dimension](repeating: .unknown, count: rank + 2)
        for case .known(let extent) in extents where extent < 0 {
            throw error("size has an extent of \(extent)")
        }
        guard let batch = extents[0].unified(with: theta.dimensions?[0] ?? .unknown) else {
            throw error("theta \(theta) has not as many matrices as size has images, \(extents[0])")
        }
        return [try output(theta.elementType, [batch] + extents[2...] + [.known(rank)])]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let matrices = try reals(inputs, 0, "theta")
        let extents = Array(target.dimensions[1..<target.rank - 1])
        let rank = extents.count
        var result: [Double] = []
        result.reserveCapacity(target.count)
        for image in 0..<(target.count == 0 ? 0 : target[0]) {
            var odometer = Odometer(extents)
            repeat {
                for row in 0..<rank {
                    let first = (image * rank + row) * (rank + 1)
                    var sum = matrices[first + rank]
                    for column in 0..<rank {
                        let axis = rank - 1 - column
                        sum += matrices[first + column] * place(odometer.indices[axis], of: extents[axis])
                    }
                    result.append(sum)
                }
            } while odometer.advance()
        }
        return [
            ExactTensor(reals: result, shape: target, elementType: try tensor(inputs, 0, "theta").elementType)
        ]
    }

    private func place(_ index: Int, of extent: Int) -> Double {
        guard alignsCorners else { return (2 * Double(index) + 1) / Double(extent) - 1 }
        return extent == 1 ? -1 : 2 * Double(index) / Double(extent - 1) - 1
    }
}
