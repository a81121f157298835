import CKernels

/// Winograd's convolution from blocked to blocked for concrete shapes; each function is part of a task.
///
/// Tiles are counted through the items. An output's operations and their order depend on its tile alone, so tiles may be
/// dealt out to tasks in any way.
package struct WinogradConvolution: Sendable {
    package let weights: WinogradWeights
    package let items: Int
    package let input: Plane
    package let output: Plane
    private let padTop: Int
    private let padLeft: Int
    private let kernels: KernelTable
    private let tilesAcross: Int
    package let tilesPerItem: Int

    /// What lies blocked: the pixels of an item's channels.
    package struct Plane: Sendable {
        package let channels: Int
        package let height: Int
        package let width: Int

        package init(channels: Int, height: Int, width: Int) {
            self.channels = channels
            self.height = height
            self.width = width
        }

        package var blocks: Int {
            (channels + WinogradConvolution.blockSize - 1) / WinogradConvolution.blockSize
        }
        package var blockStride: Int { height * width * WinogradConvolution.blockSize }
        package var itemStride: Int { blocks * blockStride }
    }

    private static let blockSize = Int(CK_BLOCK)
    /// Weights of more bytes are fetched ahead: they do not stay in the caches between two runs.
    private static let cachedByteCount = 1 << 21
    /// Fewer tiles take less time than reading their weights from memory: fetching ahead then is worth its instructions for
    /// smaller weights.
    private static let fewTiles = 24
    private static let cachedByteCountOfFewTiles = 1 << 19

    /// `axes`: height and width, of kernel 3, the tile's stride and dilation 1. `nil` when positions overflow.
    package init?(weights: WinogradWeights, items: Int, axes: [WindowAxis], kernels: KernelTable) {
        guard axes.count == 2,
            axes.allSatisfy({
                $0.isAddressable && $0.kernel == 3 && $0.stride == weights.tile.stride && $0.dilation == 1
            })
        else { return nil }
        let (height, width) = (axes[0], axes[1])
        self.weights = weights
        self.items = items
        self.kernels = kernels
        input = Plane(channels: weights.inputChannels, height: height.input, width: width.input)
        output = Plane(channels: weights.outputChannels, height: height.output, width: width.output)
        (padTop, padLeft) = (height.padBegin, width.padBegin)
        tilesAcross = (output.width + weights.tile.extent - 1) / weights.tile.extent
        tilesPerItem = weights.tile.count(height: output.height, width: output.width)
    }

    package var tileCount: Int { items * tilesPerItem }
    /// The multiply-adds of a tile.
    package var productsPerTile: Int {
        weights.tile.positions * weights.inputChannels * weights.outputChannels
    }

    /// Tiles at all positions, with `blocks` channel blocks: [positions][blocks][tiles][16].
    package struct Tiles: Sendable {
        let blocks: Int
        let tileCount: Int

        package init(blocks: Int, tileCount: Int) {
            self.blocks = blocks
            self.tileCount = tileCount
        }

        var blockStride: Int { tileCount * WinogradConvolution.blockSize }
        /// Odd in cache lines, so that positions do not meet in one set of the cache.
        var positionStride: Int { (blocks * tileCount | 1) * WinogradConvolution.blockSize }

        package func count(_ tile: WinogradTile) -> Int { tile.positions * positionStride }
    }

    /// The inputs of tiles as they are multiplied.
    package func inputTiles(_ tileCount: Int) -> Tiles { Tiles(blocks: input.blocks, tileCount: tileCount) }

    /// The sums of tiles for `panelCount` panels.
    package func sumTiles(_ tileCount: Int, panelCount: Int) -> Tiles {
        Tiles(blocks: panelCount * weights.panelChannels / Self.blockSize, tileCount: tileCount)
    }

    /// Transforms the inputs of `tiles`, in channel blocks `blocks`, to `destination`.
    package func transformInput(
        _ source: UnsafePointer<Float>, tiles: Range<Int>, blocks: Range<Int>,
        to destination: UnsafeMutablePointer<Float>
    ) {
        let layout = inputTiles(tiles.count)
        var call = ck_winograd_input()
        (call.tile, call.stride) = (weights.tile.extent, weights.tile.stride)
        call.sourceBlockStride = input.blockStride
        call.blocks = blocks.count
        (call.height, call.width) = (input.height, input.width)
        (call.padTop, call.padLeft) = (padTop, padLeft)
        call.tilesAcross = tilesAcross
        call.positionStride = layout.positionStride
        call.destinationBlockStride = layout.blockStride
        forEachRun(tiles) { item, run, offset in
            call.source = source + item * input.itemStride + blocks.lowerBound * input.blockStride
            (call.firstTile, call.tileCount) = (run.lowerBound, run.count)
            call.destination = destination + blocks.lowerBound * layout.blockStride + offset * Self.blockSize
            kernels.functions.pointee.winograd_input(&call)
        }
    }

    /// Multiplies `tileCount` transformed tiles by the weights of `panels`.
    package func multiply(
        _ left: UnsafePointer<Float>, tileCount: Int, panels: Range<Int>, to sums: UnsafeMutablePointer<Float>
    ) {
        let (inputs, results) = (inputTiles(tileCount), sumTiles(tileCount, panelCount: panels.count))
        var call = ck_winograd_product()
        call.positions = weights.tile.positions
        call.tileCount = tileCount
        call.channels = weights.inputChannels
        call.left = left
        call.leftPositionStride = inputs.positionStride
        call.leftBlockStride = inputs.blockStride
        call.right = UnsafePointer(weights.memory.pointer + panels.lowerBound * weights.panelStride)
        call.rightPositionStride = weights.positionStride
        call.outputChannels = weights.outputChannels - panels.lowerBound * weights.panelChannels
        call.panelCount = panels.count
        call.prefetches =
            weights.byteCount
            > (tileCount <= Self.fewTiles ? Self.cachedByteCountOfFewTiles : Self.cachedByteCount)
        call.sums = sums
        call.sumsPositionStride = results.positionStride
        call.sumsBlockStride = results.blockStride
        kernels.functions.pointee.winograd_product(&call)
    }

    /// Transforms the sums of `tiles` and `panels` to outputs: plus bias and `residual`, then clamped.
    ///
    /// `destination` and `residual` are whole values.
    package func transformOutput(
        _ sums: UnsafePointer<Float>, tiles: Range<Int>, panels: Range<Int>, residual: UnsafePointer<Float>?,
        lower: Float, upper: Float, to destination: UnsafeMutablePointer<Float>
    ) {
        let layout = sumTiles(tiles.count, panelCount: panels.count)
        let blocks = outputBlocks(panels)
        var call = ck_winograd_output()
        (call.tile, call.stride) = (weights.tile.extent, weights.tile.stride)
        call.positionStride = layout.positionStride
        call.sourceBlockStride = layout.blockStride
        call.blocks = blocks.count
        call.bias = UnsafePointer(weights.bias.pointer + blocks.lowerBound * Self.blockSize)
        call.tilesAcross = tilesAcross
        call.destinationBlockStride = output.blockStride
        (call.height, call.width) = (output.height, output.width)
        (call.lower, call.upper) = (lower, upper)
        forEachRun(tiles) { item, run, offset in
            let place = item * output.itemStride + blocks.lowerBound * output.blockStride
            call.source = sums + offset * Self.blockSize
            (call.firstTile, call.tileCount) = (run.lowerBound, run.count)
            call.destination = destination + place
            call.residual = residual.map { $0 + place }
            kernels.functions.pointee.winograd_output(&call)
        }
    }

    /// The floats of `tiles` and `panels` in the output, as runs that lie side by side.
    package func forEachOutputRun(
        tiles: Range<Int>, panels: Range<Int>, _ body: (_ first: Int, _ count: Int) -> Void
    ) {
        forEachRun(tiles) { item, run, _ in
            for block in outputBlocks(panels) {
                let plane = item * output.itemStride + block * output.blockStride
                forEachRow(run) { pixel, count in
                    body(plane + pixel * Self.blockSize, count * Self.blockSize)
                }
            }
        }
    }

    /// The channel blocks of the output that `panels` hold.
    private func outputBlocks(_ panels: Range<Int>) -> Range<Int> {
        let blocksPerPanel = weights.panelChannels / Self.blockSize
        return panels.lowerBound * blocksPerPanel..<min(output.blocks, panels.upperBound * blocksPerPanel)
    }

    /// The tiles of each item among `tiles`, counted in the item, and where they begin among `tiles`.
    private func forEachRun(
        _ tiles: Range<Int>, _ body: (_ item: Int, _ run: Range<Int>, _ offset: Int) -> Void
    ) {
        var tile = tiles.lowerBound
        while tile < tiles.upperBound {
            let (item, first) = tile.quotientAndRemainder(dividingBy: tilesPerItem)
            let count = min(tilesPerItem - first, tiles.upperBound - tile)
            body(item, first..<first + count, tile - tiles.lowerBound)
            tile += count
        }
    }

    /// The output pixels of an item's tiles, as runs that lie side by side.
    private func forEachRow(_ run: Range<Int>, _ body: (_ pixel: Int, _ count: Int) -> Void) {
        let extent = weights.tile.extent
        var tile = run.lowerBound
        while tile < run.upperBound {
            let (row, column) = tile.quotientAndRemainder(dividingBy: tilesAcross)
            let count = min(tilesAcross - column, run.upperBound - tile)
            let left = column * extent
            let right = min(output.width, (column + count) * extent)
            for y in row * extent..<min(output.height, (row + 1) * extent) {
                body(y * output.width + left, right - left)
            }
            tile += count
        }
    }
}
