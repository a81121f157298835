import Tensors

/// What is added to the scores of an attention: the mask, and −∞ where a query may not attend to a key.
struct AttentionBias {
    private let mask: ExactTensor?
    /// Whether a mask of fewer keys than there are masks the others, rather than being repeated.
    private let extendsMask: Bool
    private let shape: Shape
    private let validKeys: [Int]?
    private let pastKeys: Int
    private let isCausal: Bool
    private let window: (left: Int?, right: Int?)

    /// `shape`: [images, heads, queries, keys].
    init(
        mask: ExactTensor?, extendsMask: Bool, shape: Shape, validKeys: [Int]?, pastKeys: Int, isCausal: Bool,
        window: (left: Int?, right: Int?)
    ) {
        self.mask = mask
        self.extendsMask = extendsMask
        self.shape = shape
        self.validKeys = validKeys
        self.pastKeys = pastKeys
        self.isCausal = isCausal
        self.window = window
    }

    /// The bias of one query's scores.
    func row(image: Int, head: Int, query: Int) -> [Double] {
        var bias = maskRow([image, head, query])
        // The query's own position among the keys.
        let position = query + (validKeys.map { $0[image] - shape[2] } ?? pastKeys)
        for key in bias.indices {
            let isVisible =
                (!isCausal || key <= position)
                && (window.left.map { position - key <= $0 } ?? true)
                && (window.right.map { key - position <= $0 } ?? true)
                && (validKeys.map { key < $0[image] } ?? true)
            if !isVisible { bias[key] += -.infinity }
        }
        return bias
    }

    private func maskRow(_ place: [Int]) -> [Double] {
        let keys = shape[3]
        guard let mask else { return [Double](repeating: 0, count: keys) }
        let own = mask.shape
        var first = 0
        for (axis, stride) in own.strides.enumerated().dropLast() where own[axis] > 1 {
            first += place[axis + 4 - own.rank] * stride
        }
        let count = own[own.rank - 1]
        let values = mask.reals
        let flags = mask.integers
        return (0..<keys).map { key in
            if key >= count, extendsMask { return -.infinity }
            let index = first + (key < count ? key : 0)
            return values?[index] ?? (flags?[index] == 0 ? -.infinity : 0)
        }
    }
}
