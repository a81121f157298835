import Graph
import Tensors

/// How many elements of weights may be copied without their constant channels, for one form.
final class SelectionBudget {
    static let maximumElementCount = 1 << 26

    private var left = SelectionBudget.maximumElementCount

    /// Throws an `Obstacle` when a weight is too large for what is left.
    func take(_ weight: WeightView) throws(Obstacle) {
        left -= min(left + 1, weight.tensor.shape.count)
        guard left >= 0 else {
            throw Obstacle(
                "weights with constant channels have more than \(Self.maximumElementCount) elements")
        }
    }
}

/// A form without the channels that are the same number for all inputs, which what reads it adds as a shift.
struct LiveChannels {
    let form: Form
    /// The channels of the whole form that are left.
    let positions: [Int]
    /// Of every channel of the whole form: 0 for those that are left.
    let constants: [Ball]

    /// `nil` when there is nothing to take out, or everything.
    ///
    /// `zerosAlone`: what reads it puts zeros around, so that only what is 0 is the same everywhere.
    init?(_ whole: Form, axis: Int, zerosAlone: Bool, _ budget: SelectionBudget) throws(Obstacle) {
        guard let count = whole.core.extents?[axis], var found = whole.constantChannels(axis) else {
            return nil
        }
        if zerosAlone { found = found.filter { $0.value.isExactly(0) } }
        positions = (0..<count).filter { found[$0] == nil }
        guard !found.isEmpty, !positions.isEmpty, let form = try whole.selecting(positions, axis, budget)
        else {
            return nil
        }
        self.form = form
        constants = (0..<count).map { found[$0] ?? .zero }
    }
}

extension Form {
    /// The channels that are one number each, whatever the leaves are; `nil` when it cannot be said.
    fileprivate func constantChannels(_ axis: Int) -> [Int: Ball]? {
        guard let count = core.extents?[axis], let inner = core.constantChannels(axis) else { return nil }
        if inner.isEmpty { return inner }
        let one = [Ball](repeating: .one, count: count)
        let zero = [Ball](repeating: .zero, count: count)
        guard let scales = scale.map({ $0.along(axis, count: count) }) ?? one,
            let shifts = shift.map({ $0.along(axis, count: count) }) ?? zero
        else { return nil }
        var result: [Int: Ball] = [:]
        for (channel, number) in inner { result[channel] = scales[channel] * number + shifts[channel] }
        return result
    }

    /// The same with these channels alone; `nil` where an operator inside does more than one channel at a time.
    fileprivate func selecting(
        _ positions: [Int], _ axis: Int, _ budget: SelectionBudget
    ) throws(Obstacle) -> Form? {
        guard let core = try core.selecting(positions, axis, budget) else { return nil }
        return Form(
            core, scale: scale?.selecting(positions, axis), shift: shift?.selecting(positions, axis))
    }
}

extension Core {
    fileprivate func constantChannels(_ axis: Int) -> [Int: Ball]? {
        switch kind {
        case .linear(let map):
            guard map.outputAxis == axis, map.weight.group == 1 else { return nil }
            return map.zeroRows.reduce(into: [:]) { $0[$1] = .zero }
        case .apply(let application):
            guard let form = application.forms.first, form.core.extents?.count == extents?.count,
                let inner = form.constantChannels(axis)
            else { return nil }
            return application.constants(inner, axis)
        case .leaf, .zero, .sum: return nil
        }
    }

    fileprivate func selecting(
        _ positions: [Int], _ axis: Int, _ budget: SelectionBudget
    ) throws(Obstacle) -> Core? {
        guard var extents else { return nil }
        extents[axis] = positions.count
        switch kind {
        case .linear(var map):
            guard map.outputAxis == axis, map.weight.group == 1 else { return nil }
            let taps = map.weight.innerCount
            try budget.take(map.weight)
            map.weight = map.weight.selecting(rows: true, positions)
            map.tapShift = map.tapShift.map { shift in
                positions.flatMap { shift[$0 * taps..<($0 + 1) * taps] }
            }
            return try Core(.linear(map), extents: extents, type: type)
        case .apply(var application):
            for (index, argument) in application.arguments.enumerated() {
                switch argument {
                case .form(let form):
                    guard index == 0, let selected = try form.selecting(positions, axis, budget) else {
                        return nil
                    }
                    application.arguments[0] = .form(selected)
                case .field(let field):
                    application.arguments[index] = .field(field.selecting(positions, axis))
                case .absent: break
                // A slope for each channel, a size: nothing here says what it is for.
                case .constant, .weight: return nil
                }
            }
            return try Core(.apply(application), extents: extents, type: type)
        case .leaf, .zero, .sum: return nil
        }
    }
}

extension Application {
    /// What becomes of constants in operators that treat every channel along `axis` by itself; `nil` for others.
    fileprivate func constants(_ inner: [Int: Ball], _ axis: Int) -> [Int: Ball]? {
        switch passage {
        case .positiveFactors:
            switch node.operation {
            case is Relu: return inner.mapValues { $0.clamped(from: .zero, to: nil) }
            case let leaky as LeakyRelu:
                return inner.compactMapValues { number in
                    if number.isPositive || number.isExactly(0) { return number }
                    return (-number).isPositive ? number * Ball(Double(leaky.alpha)) : nil
                }
            default: return nil
            }
        case .clamping:
            guard let count = forms.first?.core.extents?[axis] else { return nil }
            var bounds: [[Ball]?] = [nil, nil]
            for index in bounds.indices where index + 1 < arguments.count {
                guard let field = arguments[index + 1].field else { continue }
                guard let numbers = field.along(axis, count: count) else { return nil }
                bounds[index] = numbers
            }
            var result: [Int: Ball] = [:]
            for (channel, number) in inner {
                result[channel] = number.clamped(from: bounds[0]?[channel], to: bounds[1]?[channel])
            }
            return result
        case .reduction(let axes, true, let isMaximum):
            guard !axes.contains(axis), !(node.operation is Resize), !(node.operation is Upsample) else {
                return nil
            }
            // Zeros alone where pads may count in a mean.
            return isMaximum || !(node.operation is AveragePool)
                ? inner : inner.filter { $0.value.isExactly(0) }
        default: return nil
        }
    }
}

extension Ball {
    /// No bound: `nil`. What it may be is moved by no more than it and the bound may be.
    fileprivate func clamped(from least: Ball?, to most: Ball?) -> Ball {
        var result = self
        if let least, result.center < least.center {
            result.center = least.center
            result.radius = max(radius, least.radius)
            result.mass = least.mass
        } else if let least {
            result.radius = max(radius, least.radius)
        }
        if let most {
            result.radius = max(result.radius, most.radius)
            if result.center > most.center {
                result.center = most.center
                result.mass = most.mass
            }
        }
        return result
    }
}

extension Field {
    /// Of these positions along an axis, where the numbers differ along it.
    fileprivate func selecting(_ positions: [Int], _ axis: Int) -> Field {
        guard extents[axis] > 1 else { return self }
        let inner = extents[(axis + 1)...].reduce(1, *)
        var selected = extents
        selected[axis] = positions.count
        var numbers: [Ball] = []
        for outer in 0..<extents[..<axis].reduce(1, *) {
            for position in positions {
                let start = (outer * extents[axis] + position) * inner
                numbers += balls[start..<start + inner]
            }
        }
        return Field(extents: selected, balls: numbers)
    }
}

extension WeightView {
    /// Whether no element is infinite or no number, so that 0 times it is 0.
    var isFinite: Bool {
        var isFinite = true
        forEachOuter { _, elements in isFinite = isFinite && elements.allSatisfy(\.isFinite) }
        return isFinite
    }
}

extension LinearMap {
    /// The rows that give 0 for all inputs.
    fileprivate var zeroRows: [Int] {
        guard weight.isFinite else { return [] }
        let taps = weight.innerCount
        var isZero = (0..<weight.rowCount).map { row in
            tapShift?[row * taps..<(row + 1) * taps].allSatisfy { $0.isExactly(0) } ?? true
        }
        weight.forEachOuter { outer, elements in
            for middle in 0..<weight.middleCount where weight.isUsed(outer, middle) {
                let row = weight.row(outer, middle)
                guard isZero[row], !weight.rowFactor(row).isExactly(0) else { continue }
                isZero[row] = elements[middle * taps..<(middle + 1) * taps].allSatisfy { $0 == 0 }
            }
        }
        return isZero.indices.filter { isZero[$0] }
    }
}
