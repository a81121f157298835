/// What can be wrong with a tensor that comes from outside.
package enum TensorError: Error, Equatable, CustomStringConvertible {
    case negativeDimension(shape: [Int])
    case tooManyElements(shape: [Int])
    case byteCount(elementType: ElementType, shape: [Int], expected: Int, actual: Int)
    case elementCount(shape: [Int], expected: Int, actual: Int)
    case elementType(expected: ElementType, actual: ElementType)
    case booleanByte(value: UInt8, index: Int)
    case file(path: String, reason: String)

    package var description: String {
        switch self {
        case .negativeDimension(let shape): "shape \(shape) has a negative dimension"
        case .tooManyElements(let shape): "shape \(shape) has more elements than can be addressed"
        case .byteCount(let type, let shape, let expected, let actual):
            "\(type) tensor of shape \(shape) needs \(expected) bytes, got \(actual)"
        case .elementCount(let shape, let expected, let actual):
            "shape \(shape) has \(expected) elements, got \(actual)"
        case .elementType(let expected, let actual): "expected elements of type \(expected), got \(actual)"
        case .booleanByte(let value, let index):
            "element \(index) of a bool tensor is \(value), expected 0 or 1"
        case .file(let path, let reason): "\(path): \(reason)"
        }
    }
}
