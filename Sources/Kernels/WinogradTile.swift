/// The outputs that Winograd's convolution of 3×3 windows computes together.
package enum WinogradTile: CaseIterable, Sendable {
    /// F(2×2, 3×3): 2.25 times fewer multiplications than a direct convolution, 1.8 times its weights.
    case two
    /// F(3×3, 3×3): 3.2 times fewer multiplications, 2.8 times the weights.
    case three
    /// F(4×4, 3×3): 4 times fewer multiplications, 4 times the weights.
    case four
    /// 2×2 outputs of windows with stride 2: 1.4 times fewer multiplications, 2.8 times the weights.
    case twoOfStrideTwo

    /// The outputs of a tile along an axis.
    package var extent: Int {
        switch self {
        case .two, .twoOfStrideTwo: 2
        case .three: 3
        case .four: 4
        }
    }

    package var stride: Int { self == .twoOfStrideTwo ? 2 : 1 }

    /// The places of a tile at which inputs and weights are multiplied: as many as inputs.
    package var positions: Int {
        let side = (extent - 1) * stride + 3
        return side * side
    }

    /// The tiles that cover `height` × `width` outputs.
    package func count(height: Int, width: Int) -> Int {
        ((height + extent - 1) / extent) * ((width + extent - 1) / extent)
    }

    /// The fewest input channels: a convolution of fewer spends its time on the transforms.
    package static let minimumInputChannels = 8
    /// The most pairs of channels. Weights grow up to fourfold, to 37 MB; 3×3 outputs save too little for memory that counts.
    private var maximumChannelPairs: Int {
        switch self {
        case .two: .max
        case .three: Self.heavyChannelPairs - 1
        case .four, .twoOfStrideTwo: 1 << 18
        }
    }

    /// Weights of more pairs of channels do not stay in the caches from one run to the next.
    private static let cachedChannelPairs = 1 << 15
    /// From here on their memory counts too.
    private static let heavyChannelPairs = 1 << 16
    /// A tile kernel is no faster with fewer rows than these.
    private static let minimumRows = 4

    /// The tile for a convolution of 3×3 windows with `stride`; `nil` when a direct one is faster. `outputExtents`: the height
    /// and width of an item; `nil` when they are not known.
    ///
    /// Measured on Zen 3, one item and one thread, microseconds (direct, F(2×2), F(4×4)): 64→64 at 56×56 2178, 1181, 692;
    /// 128→128 at 28×28 2190, 1068, 617; 256→256 at 14×14, weights in memory, 2328, 1057, 1038; 512→512 at 7×7 2608, 1550,
    /// 1765; 64→64 at 5×5 19.1, 13.4, 14.1; 16→32 at 14×14 19.1, 12.5, 9.2; 512→512 at 2×2 423, 621, 1390. On Zen 1, F(3×3) takes
    /// 0.86 of the time of F(2×2) for 256→256 at 14×14, one item or eight; with stride 2, 128→128 to 28×28 and 256→256 to 14×14 take
    /// 0.73 and 0.8 of a direct one's.
    package static func best(
        inputChannels: Int, outputChannels: Int, stride: Int = 1, outputExtents: (height: Int, width: Int)?
    ) -> WinogradTile? {
        guard inputChannels >= minimumInputChannels else { return nil }
        let (pairs, overflow) = inputChannels.multipliedReportingOverflow(by: outputChannels)
        guard !overflow else { return nil }
        let tiles = allCases.filter { $0.stride == stride && pairs <= $0.maximumChannelPairs }
        guard let (height, width) = outputExtents else {
            return pairs > cachedChannelPairs ? tiles.first : tiles.last
        }
        let fixedCost = weightCost(pairs)
        /// The multiply-adds of a pair of channels.
        func cost(_ positions: Int, _ rows: Int) -> Int { positions * (max(rows, minimumRows) + fixedCost) }
        var best: (tile: WinogradTile?, cost: Int) = (nil, cost(9, height * width))
        for tile in tiles {
            let cost = cost(tile.positions, tile.count(height: height, width: width))
            if cost < best.cost { best = (tile, cost) }
        }
        return best.tile
    }

    /// To how many tiles' multiplication by a weight reading it compares.
    private static func weightCost(_ channelPairs: Int) -> Int {
        channelPairs <= cachedChannelPairs ? 0 : channelPairs < heavyChannelPairs ? 8 : 16
    }
}
