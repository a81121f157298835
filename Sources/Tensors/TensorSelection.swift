extension Tensor {
    /// The slices at these positions of an axis, in that order.
    ///
    /// Traps for an axis or a position that the tensor does not have, and for more positions than the axis has.
    package func selecting(_ positions: [Int], axis: Int) -> Tensor {
        precondition(positions.count <= shape[axis], "some of the tensor's slices")
        precondition(positions.allSatisfy { (0..<shape[axis]).contains($0) }, "positions on the axis")
        var dimensions = shape.dimensions
        dimensions[axis] = positions.count
        // No larger than this tensor's own shape.
        let selected = try! Shape(dimensions)
        let outerCount = shape.dimensions[..<axis].reduce(1, *)
        let slice = shape.dimensions[(axis + 1)...].reduce(1, *) * elementType.byteCount
        return Tensor(elementType: elementType, shape: selected) { target in
            withUnsafeBytes { source in
                var end = 0
                for outer in 0..<outerCount {
                    for position in positions {
                        let start = (outer * shape[axis] + position) * slice
                        // Both ranges are whole slices within their tensors.
                        UnsafeMutableRawBufferPointer(rebasing: target[end..<end + slice])
                            .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<start + slice]))
                        end += slice
                    }
                }
            }
        }
    }
}
