import Tensors

/// Where the bins of a region are sampled on one axis, with the weights of bilinear interpolation.
struct RegionGrid {
    struct Sample {
        let low: Int
        let high: Int
        let lowWeight: Double
        let highWeight: Double
    }

    /// The most samples on one axis of a region.
    static let maximumSampleCount = 1 << 20

    /// The samples of one bin.
    let samplesPerBin: Int
    /// Bin after bin; `nil` for a sample outside the image.
    let samples: [Sample?]

    /// `count`: how many samples a bin has; 0 for as many as it spans pixels.
    ///
    /// `nil` when there would be more than `maximumSampleCount`, or the region has an end that is no number.
    init?(begin: Double, length: Double, bins: Int, count: Int, extent: Int) {
        let binLength = length / Double(bins)
        guard begin.isFinite, binLength.isFinite,
            count > 0 || binLength.magnitude <= Double(Self.maximumSampleCount)
        else { return nil }
        samplesPerBin = count > 0 ? count : max(0, Int(binLength.rounded(.up)))
        let (total, overflow) = samplesPerBin.multipliedReportingOverflow(by: bins)
        guard !overflow, total <= Self.maximumSampleCount else { return nil }
        var samples: [Sample?] = []
        samples.reserveCapacity(total)
        for bin in 0..<bins {
            for index in 0..<samplesPerBin {
                let offset = (Double(index) + 0.5) * binLength / Double(samplesPerBin)
                samples.append(Self.sample(at: begin + Double(bin) * binLength + offset, extent))
            }
        }
        self.samples = samples
    }

    /// A point up to one pixel outside the image is on its border.
    private static func sample(at coordinate: Double, _ extent: Int) -> Sample? {
        guard coordinate >= -1, coordinate <= Double(extent) else { return nil }
        let inside = max(0, coordinate)
        let low = Int(inside)
        guard low < extent - 1 else {
            return Sample(low: extent - 1, high: extent - 1, lowWeight: 1, highWeight: 0)
        }
        let weight = inside - Double(low)
        return Sample(low: low, high: low + 1, lowWeight: 1 - weight, highWeight: weight)
    }
}
