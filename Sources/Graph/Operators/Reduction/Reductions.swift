import Glibc

// One reduction each; inputs, outputs and attributes: see `Reduction`.

/// The sum, 0 of nothing. Source: ONNX ReduceSum-1, 11, 13.
package struct ReduceSum: Reduction {
    package static let type = "ReduceSum"
    package static let firstOpsetWithAxesInput = 13
    package let axes: ReducedAxes
    package init(axes: ReducedAxes) { self.axes = axes }
    package static func reduce(_ values: ArraySlice<Double>) -> Double { values.reduce(0, +) }
    package static func reduce(_ values: ArraySlice<Int64>, order: IntegerOrder) -> Int64 {
        values.reduce(0, &+)
    }
}

/// The mean, NaN of nothing; of integers truncated toward zero. Source: ONNX ReduceMean-1, 11, 13, 18.
package struct ReduceMean: Reduction {
    package static let type = "ReduceMean"
    package let axes: ReducedAxes
    package init(axes: ReducedAxes) { self.axes = axes }
    package static func reduce(_ values: ArraySlice<Double>) -> Double {
        values.reduce(0, +) / Double(values.count)
    }
}

/// The greatest, booleans too (since 20); NaN wins; of nothing −∞ or the least integer.
/// Source: ONNX ReduceMax-1, 11, 12, 13, 18, 20.
package struct ReduceMax: Reduction {
    package static let type = "ReduceMax"
    package static let takesBooleans = true
    package let axes: ReducedAxes
    package init(axes: ReducedAxes) { self.axes = axes }
    package static func reduce(_ values: ArraySlice<Double>) -> Double {
        values.reduce(-.infinity, Max.combine)
    }
    package static func reduce(_ values: ArraySlice<Int64>, order: IntegerOrder) -> Int64 {
        values.reduce(order.least) { Max.combine($0, $1, order: order) }
    }
}

/// The least, booleans too (since 20); NaN wins; of nothing ∞ or the greatest integer.
/// Source: ONNX ReduceMin-1, 11, 12, 13, 18, 20.
package struct ReduceMin: Reduction {
    package static let type = "ReduceMin"
    package static let takesBooleans = true
    package let axes: ReducedAxes
    package init(axes: ReducedAxes) { self.axes = axes }
    package static func reduce(_ values: ArraySlice<Double>) -> Double {
        values.reduce(.infinity, Min.combine)
    }
    package static func reduce(_ values: ArraySlice<Int64>, order: IntegerOrder) -> Int64 {
        values.reduce(order.greatest) { Min.combine($0, $1, order: order) }
    }
}

/// The product, 1 of nothing. Source: ONNX ReduceProd-1, 11, 13, 18.
package struct ReduceProd: Reduction {
    package static let type = "ReduceProd"
    package let axes: ReducedAxes
    package init(axes: ReducedAxes) { self.axes = axes }
    package static func reduce(_ values: ArraySlice<Double>) -> Double { values.reduce(1, *) }
    package static func reduce(_ values: ArraySlice<Int64>, order: IntegerOrder) -> Int64 {
        values.reduce(1, &*)
    }
}

/// The sum of magnitudes. Source: ONNX ReduceL1-1, 11, 13, 18.
package struct ReduceL1: Reduction {
    package static let type = "ReduceL1"
    package let axes: ReducedAxes
    package init(axes: ReducedAxes) { self.axes = axes }
    package static func reduce(_ values: ArraySlice<Double>) -> Double {
        values.reduce(0) { $0 + $1.magnitude }
    }
}

/// The root of the sum of squares. Source: ONNX ReduceL2-1, 11, 13, 18.
package struct ReduceL2: Reduction {
    package static let type = "ReduceL2"
    package let axes: ReducedAxes
    package init(axes: ReducedAxes) { self.axes = axes }
    package static func reduce(_ values: ArraySlice<Double>) -> Double {
        ReduceSumSquare.reduce(values).squareRoot()
    }
}

/// The sum of squares. Source: ONNX ReduceSumSquare-1, 11, 13, 18.
package struct ReduceSumSquare: Reduction {
    package static let type = "ReduceSumSquare"
    package let axes: ReducedAxes
    package init(axes: ReducedAxes) { self.axes = axes }
    package static func reduce(_ values: ArraySlice<Double>) -> Double { values.reduce(0) { $0 + $1 * $1 } }
    package static func reduce(_ values: ArraySlice<Int64>, order: IntegerOrder) -> Int64 {
        values.reduce(0) { $0 &+ $1 &* $1 }
    }
}

/// The logarithm of the sum. Source: ONNX ReduceLogSum-1, 11, 13, 18.
package struct ReduceLogSum: Reduction {
    package static let type = "ReduceLogSum"
    package let axes: ReducedAxes
    package init(axes: ReducedAxes) { self.axes = axes }
    package static func reduce(_ values: ArraySlice<Double>) -> Double { log(values.reduce(0, +)) }
}

/// The logarithm of the sum of exponentials, without overflow. Source: ONNX ReduceLogSumExp-1, 11, 13, 18.
package struct ReduceLogSumExp: Reduction {
    package static let type = "ReduceLogSumExp"
    package let axes: ReducedAxes
    package init(axes: ReducedAxes) { self.axes = axes }
    package static func reduce(_ values: ArraySlice<Double>) -> Double {
        let greatest = values.reduce(-.infinity, Max.combine)
        guard greatest.isFinite else { return greatest }
        return greatest + log(values.reduce(0) { $0 + exp($1 - greatest) })
    }
}
