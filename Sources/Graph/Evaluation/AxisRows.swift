import Tensors

/// A tensor seen as the rows along one of its axes.
struct AxisRows {
    /// The elements of one row.
    let extent: Int
    /// The distance between neighbours in a row, in elements.
    let step: Int
    /// How many rows there are: none when the tensor is empty.
    let count: Int

    init(_ shape: Shape, axis: Int) {
        extent = shape[axis]
        step = shape.dimensions[(axis + 1)...].reduce(1, *)
        count = shape.count == 0 ? 0 : shape.count / extent
    }

    /// Where a row begins; its other elements follow at every `step`.
    func offset(_ row: Int) -> Int { row / step * step * extent + row % step }
}
