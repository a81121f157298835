/// The dimensions of a tensor, checked: none is negative, and the elements can be counted and addressed.
package struct Shape: Hashable, Sendable, CustomStringConvertible {
    package let dimensions: [Int]
    /// The number of elements: 1 for a scalar, 0 when any dimension is 0.
    package let count: Int

    /// The most elements a tensor can have: its bytes stay addressable for every element type.
    package static let maximumCount = Int.max / 16

    package init(_ dimensions: [Int]) throws(TensorError) {
        var count = 1
        // Dimensions of 0 are left out of the product, so that [0, huge, huge] is refused whatever their order.
        for dimension in dimensions where dimension != 0 {
            guard dimension > 0 else { throw .negativeDimension(shape: dimensions) }
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard !overflow, product <= Self.maximumCount else { throw .tooManyElements(shape: dimensions) }
            count = product
        }
        self.dimensions = dimensions
        self.count = dimensions.contains(0) ? 0 : count
    }

    /// The shape of a scalar.
    package static let scalar = Shape()

    private init() {
        dimensions = []
        count = 1
    }

    package var rank: Int { dimensions.count }

    package subscript(axis: Int) -> Int { dimensions[axis] }

    /// The distance between neighbours along each axis, in elements, in C order.
    package var strides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in dimensions.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * max(1, dimensions[axis + 1])
        }
        return strides
    }

    package var description: String { "[" + dimensions.map(String.init).joined(separator: ",") + "]" }
}
