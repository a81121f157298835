import Tensors

/// The order of a tensor's elements by their offsets: NaN is equal to NaN and greater than every number.
struct ElementOrder {
    private let elements: ExactTensor.Elements
    private let order: IntegerOrder

    init(_ tensor: ExactTensor) {
        elements = tensor.elements
        order = IntegerOrder(tensor.elementType)
    }

    /// Negative when the element at `a` is less than the one at `b`, positive when it is greater, else 0.
    func compare(_ a: Int, _ b: Int) -> Int {
        switch elements {
        case .reals(let values):
            let (one, other) = (values[a], values[b])
            if one.isNaN || other.isNaN { return (one.isNaN ? 1 : 0) - (other.isNaN ? 1 : 0) }
            return one < other ? -1 : one > other ? 1 : 0
        case .integers(let values):
            return order.isLess(values[a], values[b]) ? -1 : order.isLess(values[b], values[a]) ? 1 : 0
        }
    }
}
