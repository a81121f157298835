import Tensors

/// One extent of a value's shape, as far as it is known before a model runs.
package enum Dimension: Hashable, Sendable, CustomStringConvertible {
    case known(Int)
    /// The same name stands for the same extent everywhere in a graph.
    case symbol(String)
    case unknown

    package var value: Int? {
        if case .known(let value) = self { value } else { nil }
    }

    package var description: String {
        switch self {
        case .known(let value): String(value)
        case .symbol(let name): name
        case .unknown: "?"
        }
    }
}

/// What is known of a value before a model runs: element type and dimensions, and for constants and small integer
/// tensors, such as the shapes that graphs compute, the elements themselves.
package struct ValueInfo: Sendable, CustomStringConvertible {
    /// `nil`: not known, which only a graph's declared interface may leave open.
    package var elementType: ElementType?
    /// `nil`: not even the rank is known.
    package var dimensions: [Dimension]?
    /// The elements, when they are the same in every run: an initializer's, or what follows from small ones.
    package var constant: Tensor?
    /// The elements of a vector or scalar of integers that need not be constant: `[N, 64, 7, 7]` from `Shape`.
    package var elements: [Dimension]?

    /// The most elements that `elements` follows: shapes are short.
    package static let maximumFollowedElements = 64

    package init(_ elementType: ElementType?, _ dimensions: [Dimension]?, elements: [Dimension]? = nil) {
        self.elementType = elementType
        self.dimensions = dimensions
        self.elements = elements
    }

    package init(constant: Tensor) {
        elementType = constant.elementType
        dimensions = constant.shape.dimensions.map(Dimension.known)
        self.constant = constant
        if constant.elementType.isInteger, constant.shape.rank <= 1,
            constant.shape.count <= Self.maximumFollowedElements,
            let integers = ExactTensor(constant).integers
        {
            elements = integers.map { .known(Int($0)) }
        }
    }

    package var rank: Int? { dimensions?.count }

    /// The shape, when every dimension is known.
    package var shape: [Int]? {
        guard let dimensions else { return nil }
        let known = dimensions.compactMap(\.value)
        return known.count == dimensions.count ? known : nil
    }

    /// The elements as integers, when every one is known: axes, pads, target shapes.
    package var knownElements: [Int]? {
        guard let elements else { return nil }
        let known = elements.compactMap(\.value)
        return known.count == elements.count ? known : nil
    }

    package var description: String {
        let type = elementType?.rawValue ?? "?"
        guard let dimensions else { return type + "[…]" }
        return type + "[" + dimensions.map(\.description).joined(separator: ",") + "]"
    }
}
