import Graph

/// What becomes of an affine where channels are taken, laid together or repeated.
extension Affine {
    package var isIdentity: Bool { !hasScale && !hasShift }

    package var hasShift: Bool { shift.contains { $0 != 0 } }

    package var withoutShift: Affine { Affine(scale: scale, shift: shift.map { _ in 0 }, axis: axis) }

    func equals(_ other: Affine) -> Bool {
        scale == other.scale && shift == other.shift && axis == other.axis
    }

    /// The same function with `count` channels on `axis`, when it does the same to every channel.
    package func spread(over count: Int, axis: Int) -> Affine? {
        guard let scale = scale.first, let shift = shift.first, count > 0,
            self.scale.allSatisfy({ $0 == scale }), self.shift.allSatisfy({ $0 == shift })
        else { return nil }
        return Affine(
            scale: [Double](repeating: scale, count: count), shift: [Double](repeating: shift, count: count),
            axis: axis)
    }

    /// Channel i of the result is channel `channels[i]` of this one.
    package func selecting(_ channels: some Collection<Int>) -> Affine {
        Affine(scale: channels.map { scale[$0] }, shift: channels.map { shift[$0] }, axis: axis)
    }

    /// Channel i of this one is channel `places[i]` of the result, which has `count`; those that none is stay as they
    /// are. `nil` when two that differ would be the same.
    package func placed(at places: [Int], of count: Int, axis: Int) -> Affine? {
        var sources = [Int](repeating: -1, count: count)
        for (channel, place) in places.enumerated() {
            guard sources.indices.contains(place), scale.indices.contains(channel) else { return nil }
            let source = sources[place]
            guard source < 0 || (scale[source] == scale[channel] && shift[source] == shift[channel]) else {
                return nil
            }
            sources[place] = channel
        }
        return Affine(
            scale: sources.map { $0 < 0 ? 1 : scale[$0] }, shift: sources.map { $0 < 0 ? 0 : shift[$0] },
            axis: axis)
    }
}
