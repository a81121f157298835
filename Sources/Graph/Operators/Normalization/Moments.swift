/// The mean and the reciprocal standard deviation of some elements: what the normalizations by data share.
struct Moments {
    let mean: Double
    let inverseDeviation: Double

    init(_ values: ArraySlice<Double>, epsilon: Double) {
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        self.mean = mean
        inverseDeviation = 1 / (variance + epsilon).squareRoot()
    }

    func normalized(_ value: Double) -> Double { (value - mean) * inverseDeviation }
}
