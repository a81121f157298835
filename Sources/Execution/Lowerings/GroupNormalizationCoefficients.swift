import Graph

/// What turns the moments of an item's groups of channels into a scale and a shift for each channel.
struct GroupNormalizationCoefficients: Sendable {
    let groupCount: Int
    let epsilon: Double
    /// [channels] each.
    private(set) var scale: [Double]
    private(set) var bias: [Double]

    var channels: Int { scale.count }
    /// The channels of a group.
    var groupSize: Int { scale.count / groupCount }

    /// The same, and a scale and a shift for each channel behind it; `nil` when `consumer` is something else.
    func followed(by consumer: Node) -> GroupNormalizationCoefficients? {
        guard let affine = consumer.operation as? Affine, affine.axis == 1, affine.scale.count == channels
        else {
            return nil
        }
        var result = self
        for channel in 0..<channels {
            result.scale[channel] *= affine.scale[channel]
            result.bias[channel] = result.bias[channel] * affine.scale[channel] + affine.shift[channel]
        }
        return result
    }

    /// y = factor · x + shift of a channel in a group with these moments.
    func factors(_ channel: Int, _ moments: PooledMoments) -> (factor: Float, shift: Float) {
        let factor = scale[channel] / (moments.variance + epsilon).squareRoot()
        return (Float(factor), Float(bias[channel] - moments.mean * factor))
    }
}

/// Mean and variance of several pieces from those of each, by Chan, Golub & LeVeque 1979.
struct PooledMoments {
    private var count = 0.0
    private(set) var mean = 0.0
    /// The sum of (x − mean)².
    private var squares = 0.0

    var variance: Double { squares / count }

    /// `squares`: the sum of (x − mean)² over the `count` elements of a piece.
    mutating func add(count: Int, mean: Float, squares: Float) {
        let (difference, added) = (Double(mean) - self.mean, Double(count))
        let total = self.count + added
        self.mean += difference * added / total
        self.squares += Double(squares) + difference * difference * self.count * added / total
        self.count = total
    }
}
