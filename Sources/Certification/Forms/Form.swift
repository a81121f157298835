import Graph
import Tensors

/// A value as a function of the shared values before it, in the form in which two graphs are compared:
///
///     value = scale ⊙ core + shift
///
/// A scale that a linear operator can take is in its weights, a shift is always outside, and both have been pulled out of
/// every operator that commutes with them. Two graphs that differ by where an affine stands have the same form.
struct Form: Sendable {
    var core: Core
    /// `nil`: 1.
    var scale: Field?
    /// `nil`: 0.
    var shift: Field?

    init(_ core: Core, scale: Field? = nil, shift: Field? = nil) {
        self.core = core
        self.scale = scale.flatMap { $0.isExactly(1) ? nil : $0 }
        self.shift = shift.flatMap { $0.isExactly(0) ? nil : $0 }
    }

    var isPlain: Bool { scale == nil && shift == nil }
}

/// What a form scales and shifts.
final class Core: Sendable {
    enum Kind: Sendable {
        /// A value that both graphs define.
        case leaf(String)
        case linear(LinearMap)
        /// Zeros: the part of a concatenation that is all shift.
        case zero
        /// The sum of forms without shifts.
        case sum([Form])
        case apply(Application)
    }

    let kind: Kind
    /// The value's extents for the inputs that the proof assumes; `nil` when they depend on elements.
    let extents: [Int]?
    let type: ElementType?
    /// How many cores lie in one another.
    let depth: Int
    /// How many cores it is made of, one that is read twice counted twice.
    private let size: Int

    /// Real pieces have a few; a file may have any number.
    static let maximumDepth = 64
    static let maximumSize = 1 << 14

    /// Throws an `Obstacle` when cores lie too deep in one another, or are too many.
    init(_ kind: Kind, extents: [Int]?, type: ElementType?) throws(Obstacle) {
        self.kind = kind
        self.extents = extents
        self.type = type
        let inner: [Core] =
            switch kind {
            case .leaf, .zero: []
            case .linear(let map): [map.input]
            case .sum(let forms): forms.map(\.core)
            case .apply(let application): application.forms.map(\.core)
            }
        depth = 1 + (inner.map(\.depth).max() ?? 0)
        size = inner.reduce(1) { $0 + $1.size }
        guard depth <= Self.maximumDepth, size <= Self.maximumSize else {
            throw Obstacle("too many operators lie between two shared values")
        }
    }

    var rank: Int? { extents?.count }

    /// What a reason calls it.
    var text: String {
        let extents = self.extents.map { "[" + $0.map(String.init).joined(separator: ",") + "]" } ?? "[?]"
        switch kind {
        case .leaf(let name): return "'\(name)' \(extents)"
        case .zero: return "a constant \(extents)"
        case .linear(let map): return "the linear map of '\(map.node.name)' \(extents)"
        case .sum(let forms): return "a sum of \(forms.count) values \(extents)"
        case .apply(let application): return "\(application.node.type) \(extents)"
        }
    }
}

/// An operator that is not linear in its weights, with what it reads.
struct Application: Sendable {
    enum Argument: Sendable {
        case absent
        case constant(Tensor)
        case form(Form)
        /// A weight whose columns are scaled: of a recurrent layer.
        case weight(WeightView)
        case field(Field)

        var field: Field? { if case .field(let field) = self { field } else { nil } }
    }

    /// How a scale gets through.
    enum Passage: Sendable {
        case none
        /// Factors of 0 and more, of any element: ReLU and its relatives.
        case positiveFactors
        /// Factors that are the same along the axes that the operator reduces, of 0 and more for a maximum.
        case reduction(axes: [Int], keepsRank: Bool, needsPositive: Bool)
        /// Each output element is an input element.
        case movement
        /// The arguments one behind the other.
        case concatenation(axis: Int)
        /// The product of two values.
        case product
        /// The first value over the second.
        case quotient
        /// The value repeated along axes of extent 1 and in front, whatever the node does with it.
        case broadcast
        /// Added elements have a value of their own: the second argument.
        case padding(Padding)
        /// Values are kept between the second and the third argument.
        case clamping
    }

    let node: Node
    let output: Int
    var arguments: [Argument]
    let passage: Passage

    /// How many elements are added at the ends of each axis.
    struct Padding: Sendable, Equatable {
        var begins: [Int]
        var ends: [Int]

        init(rank: Int) {
            begins = [Int](repeating: 0, count: rank)
            ends = begins
        }

        /// The axes whose extents change.
        var axes: [Int] { begins.indices.filter { begins[$0] != 0 || ends[$0] != 0 } }
        var isZero: Bool { (begins + ends).allSatisfy { $0 == 0 } }
        /// Whether nothing is added.
        var isCrop: Bool { (begins + ends).allSatisfy { $0 <= 0 } }
    }

    var forms: [Form] {
        arguments.compactMap { if case .form(let form) = $0 { form } else { nil } }
    }
}

extension Application {
    /// Whether no difference of what it reads gets larger.
    var isLipschitz: Bool {
        switch passage {
        case .movement, .broadcast, .concatenation, .padding, .clamping: true
        case .positiveFactors: node.operation is Relu
        case .reduction: !(node.operation is Resize)
        case .none, .product, .quotient: false
        }
    }
}
