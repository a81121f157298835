import Graph
import Tensors

/// A tensor for people: name, type, shape and the first elements.
enum TensorSummary {
    /// How many elements are shown.
    static let elementCount = 20

    static func text(_ name: String, _ tensor: Tensor) -> String {
        let shown: [String]
        switch ExactTensor(tensor).elements {
        case .reals(let values):
            // A float32 is shown with the digits that it has.
            shown = values.prefix(elementCount).map {
                tensor.elementType == .float64 ? String($0) : String(Float($0))
            }
        case .integers(let values):
            shown = values.prefix(elementCount).map {
                tensor.elementType == .uint64 ? String(UInt64(bitPattern: $0)) : String($0)
            }
        }
        let more = tensor.shape.count > elementCount ? ", …" : ""
        return "\(name) \(tensor.elementType)\(tensor.shape) [\(shown.joined(separator: ", "))\(more)]"
    }
}
