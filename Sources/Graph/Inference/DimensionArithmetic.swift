extension Dimension {
    /// What is known of an extent that is this one and `other` at once; `nil` when they contradict.
    func unified(with other: Dimension) -> Dimension? {
        switch (self, other) {
        case (.known(let one), .known(let two)): one == two ? self : nil
        case (.known, _): self
        case (_, .known): other
        case (.unknown, _): other
        default: self
        }
    }

    /// The extent of two broadcast axes; `nil` when they cannot be.
    func broadcast(with other: Dimension) -> Dimension? {
        if self == other { return self }
        return switch (self, other) {
        case (.known(1), _): other
        case (_, .known(1)): self
        case (.known, .known): nil
        // The other extent is this one or 1.
        case (.known, _): self
        case (_, .known): other
        default: .unknown
        }
    }

    /// The extent of several axes made into one, such as Flatten's.
    static func product(_ dimensions: some Sequence<Dimension>) -> Dimension {
        var product = 1
        var symbol: Dimension?
        var isUnknown = false
        for dimension in dimensions {
            switch dimension {
            case .known(let extent):
                if extent == 0 { return .known(0) }
                let (next, overflow) = product.multipliedReportingOverflow(by: extent)
                if overflow { isUnknown = true } else { product = next }
            case .symbol where symbol == nil: symbol = dimension
            default: isUnknown = true
            }
        }
        if isUnknown { return .unknown }
        guard let symbol else { return .known(product) }
        return product == 1 ? symbol : .unknown
    }

    /// The extent of axes laid end to end.
    static func sum(_ dimensions: some Sequence<Dimension>) -> Dimension {
        var sum = 0
        var rest: [Dimension] = []
        for dimension in dimensions {
            if let extent = dimension.value {
                let (next, overflow) = sum.addingReportingOverflow(extent)
                if overflow { return .unknown }
                sum = next
            } else {
                rest.append(dimension)
            }
        }
        if rest.isEmpty { return .known(sum) }
        return rest.count == 1 && sum == 0 ? rest[0] : .unknown
    }
}

extension Operator {
    /// The shape of several inputs broadcast together (ONNX, "Multidirectional Broadcasting"); `nil` when a rank is not
    /// known.
    @_semantics("optimize.sil.specialize.generic.never")
    func broadcast(_ shapes: [[Dimension]?]) throws(GraphError) -> [Dimension]? {
        var result: [Dimension] = []
        for shape in shapes {
            guard let shape else { return nil }
            let rank = max(result.count, shape.count)
            var next: [Dimension] = []
            for axis in 0..<rank {
                let one = axis - (rank - result.count)
                let two = axis - (rank - shape.count)
                guard one >= 0, two >= 0 else {
                    next.append(one >= 0 ? result[one] : shape[two])
                    continue
                }
                guard let extent = result[one].broadcast(with: shape[two]) else {
                    throw error("extents \(result[one]) and \(shape[two]) cannot be broadcast together")
                }
                next.append(extent)
            }
            result = next
        }
        return result
    }

    /// Checks that `shape` can be broadcast to `target` without changing it ("Unidirectional Broadcasting").
    @_semantics("optimize.sil.specialize.generic.never")
    func requireBroadcast(
        _ shape: [Dimension]?, _ name: String, to target: [Dimension]?
    ) throws(GraphError) {
        guard let shape, let target else { return }
        guard shape.count <= target.count else {
            throw error("\(name) has rank \(shape.count), it is broadcast to rank \(target.count)")
        }
        for (extent, goal) in zip(shape.reversed(), target.reversed()) {
            if let extent = extent.value, let goal = goal.value, extent != 1, extent != goal {
                throw error("\(name) has an extent of \(extent), it is broadcast to \(goal)")
            }
        }
    }
}
