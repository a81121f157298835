import Graph
import Tensors
import Testing

@Suite struct TensorComparisonTests {
    private let comparison = TensorComparison(relativeTolerance: 1e-3, absoluteTolerance: 1e-7)

    private func tensor(_ values: [Double], _ type: ElementType = .float32) throws -> ExactTensor {
        ExactTensor(reals: values, shape: try Shape([values.count]), elementType: type)
    }

    @Test(arguments: [
        (1.0, 1.0009, true), (1.0, 1.002, false), (0, 9e-8, true), (0, 2e-7, false), (.nan, .nan, true),
        (1, .nan, false), (.nan, 1, false), (.infinity, .infinity, true), (.infinity, -.infinity, false),
        (1, .infinity, false), (.infinity, 1, false),
    ])
    func `reals agree within the runner's tolerance`(_ actual: Double, _ expected: Double, _ agree: Bool)
        throws
    {
        #expect((comparison.difference(try tensor([actual]), try tensor([expected])) == nil) == agree)
    }

    @Test func `another element type or shape is a difference`() throws {
        #expect(comparison.difference(try tensor([1]), try tensor([1], .float64)) != nil)
        #expect(comparison.difference(try tensor([1]), try tensor([1, 1])) != nil)
        let scalar = ExactTensor(reals: [1], shape: .scalar, elementType: .float32)
        #expect(comparison.difference(scalar, try tensor([1])) != nil)
    }

    @Test func `integers agree when they are the same`() throws {
        let shape = try Shape([1])
        let million = ExactTensor(integers: [1_000_000], shape: shape, elementType: .int32)
        let next = ExactTensor(integers: [1_000_001], shape: shape, elementType: .int32)
        #expect(comparison.difference(million, million) == nil)
        #expect(comparison.difference(million, next) != nil)
    }
}
