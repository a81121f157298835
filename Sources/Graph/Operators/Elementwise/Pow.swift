import Glibc
import Tensors

/// Xʸ, of X's element type.
///
/// Inputs: X and Y, broadcast together; Y may be of another type (since 12). Outputs: Z. Integer powers of integers wrap;
/// a negative one is truncated toward zero, and 0 to it is refused. Source: ONNX Pow-7, 12, 13, 15.
package struct Pow: Operator {
    package static let type = "Pow"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, y) = (try required(inputs, 0, "X"), try required(inputs, 1, "Y"))
        try requireNumbers(x, "X")
        try requireNumbers(y, "Y")
        return [try output(x.elementType, broadcast([x.dimensions, y.dimensions]))]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X").broadcast(to: shape)
        let y = try tensor(inputs, 1, "Y").broadcast(to: shape)
        switch (x.elements, y.elements) {
        case (.reals(let bases), .reals(let exponents)):
            return [made(bases.indices.map { pow(bases[$0], exponents[$0]) }, shape, x)]
        case (.reals(let bases), .integers(let exponents)):
            let isUnsigned = y.elementType.isUnsigned
            return [
                made(
                    bases.indices.map {
                        pow(
                            bases[$0],
                            isUnsigned ? Double(UInt64(bitPattern: exponents[$0])) : Double(exponents[$0]))
                    }, shape, x)
            ]
        case (.integers(let bases), .reals(let exponents)):
            let isUnsigned = x.elementType.isUnsigned
            let powers = bases.indices.map {
                pow(isUnsigned ? Double(UInt64(bitPattern: bases[$0])) : Double(bases[$0]), exponents[$0])
            }
            return [
                ExactTensor(reals: powers, shape: shape, elementType: .float64).truncated(to: x.elementType)
            ]
        case (.integers(let bases), .integers(let exponents)):
            let isUnsigned = y.elementType.isUnsigned
            var result: [Int64] = []
            result.reserveCapacity(bases.count)
            for index in bases.indices {
                guard let power = power(bases[index], exponents[index], isUnsigned: isUnsigned) else {
                    throw error("0 is raised to the negative power \(exponents[index])")
                }
                result.append(power)
            }
            return [ExactTensor(integers: result, shape: shape, elementType: x.elementType)]
        }
    }

    private func made(_ values: [Double], _ shape: Shape, _ x: ExactTensor) -> ExactTensor {
        ExactTensor(reals: values, shape: shape, elementType: x.elementType)
    }

    /// By squaring; `nil` for a negative power of 0.
    private func power(_ base: Int64, _ exponent: Int64, isUnsigned: Bool) -> Int64? {
        if exponent < 0, !isUnsigned {
            switch base {
            case 0: return nil
            case 1: return 1
            case -1: return exponent.isMultiple(of: 2) ? 1 : -1
            default: return 0
            }
        }
        var (result, square, rest): (Int64, Int64, UInt64) = (1, base, UInt64(bitPattern: exponent))
        while rest > 0 {
            if rest & 1 == 1 { result &*= square }
            square &*= square
            rest >>= 1
        }
        return result
    }
}
