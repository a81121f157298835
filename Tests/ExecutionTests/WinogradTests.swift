import Execution
import Graph
import Kernels
import Tensors
import Testing

struct WinogradCase: Sendable, CustomTestStringConvertible {
    let tile: WinogradTile
    let set: InstructionSet

    var testDescription: String { "\(tile) \(set)" }

    static let all = WinogradTile.allCases.flatMap { tile in
        InstructionSet.supported.map { WinogradCase(tile: tile, set: $0) }
    }

    /// Every 3×3 convolution of its stride by this tile.
    var options: ExecutionOptions {
        ExecutionOptions(instructionSet: set, lowerings: LoweringCatalog([WinogradLowering(tile: tile)]))
    }
}

@Suite struct WinogradTests {
    private func convolution(
        _ channels: Int, _ outputs: Int, _ extents: [Int], stride: Int = 1, pads: [Int] = [1, 1, 1, 1],
        batch: Int = 1
    ) -> ConvolutionCase {
        ConvolutionCase(
            channels: channels, outputChannels: outputs, extents: extents, kernel: [3, 3],
            strides: [stride, stride], pads: pads, batch: batch)
    }

    private func check(_ c: ConvolutionCase, _ winograd: WinogradCase) throws {
        let graph = try c.sketch().graph(["y"])
        let executable = try Executable(graph, options: winograd.options)
        #expect(
            executable.stepDescriptions.contains {
                $0.kernel.contains("Winograd F(\(winograd.tile.extent)×")
                    && $0.kernel.contains("of stride 2") == (winograd.tile.stride == 2)
            })
        let inputs = ["x": c.input]
        let outputs = try Session(executable, threadCount: 2).run(inputs)
        #expect(try worstError(outputs, exactly(graph, inputs)) < 1e-5, "\(c.testDescription)")
    }

    @Test(arguments: WinogradCase.all)
    func `equals the reference for every size and padding`(_ winograd: WinogradCase) throws {
        for extent in 1...19 {
            for pads in [[0, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2], [0, 1, 2, 0]] {
                guard extent + min(pads[0] + pads[2], pads[1] + pads[3]) >= 3, 22 - extent >= 3 else {
                    continue
                }
                try check(
                    convolution(3, 5, [extent, 22 - extent], stride: winograd.tile.stride, pads: pads),
                    winograd)
            }
        }
    }

    @Test(arguments: WinogradCase.all)
    func `equals the reference for every number of channels and items`(_ winograd: WinogradCase) throws {
        for channels in [1, 16, 17, 40] {
            for outputs in [1, 16, 17, 40] {
                for batch in [1, 3] {
                    try check(
                        convolution(
                            channels, outputs, [9, 6], stride: winograd.tile.stride, batch: batch), winograd)
                }
            }
        }
    }

    @Test(arguments: WinogradCase.all)
    func `takes a residual and an activation into its epilogue`(_ winograd: WinogradCase) throws {
        for activation in ["Relu", "HardSwish", "Tanh"] {
            let stride = winograd.tile.stride
            let c = convolution(20, 33, [7, 10], stride: stride, batch: 3)
            let extents = c.extents.map { ($0 - 1) / stride + 1 }
            var sketch = try c.sketch()
            sketch.input("r", [.symbol("N"), .known(c.outputChannels)] + extents.map(Dimension.known))
            try sketch.add("Add", ["r", "y"], ["sum"])
            try sketch.add(activation, ["sum"], ["z"])
            let graph = try sketch.graph(["z"])
            let executable = try Executable(graph, options: winograd.options)
            #expect(executable.stepDescriptions.count { !$0.kernel.hasPrefix("reorder") } == 1)
            var noise = Noise(3)
            let inputs = ["x": c.input, "r": noise.tensor([c.batch, c.outputChannels] + extents)]
            let outputs = try Session(executable, threadCount: 2).run(inputs)
            #expect(try worstError(outputs, exactly(graph, inputs)) < 1e-5)
        }
    }

    /// Few tiles of many channels are shared out by output channel, many by tile; one task takes what is small.
    @Test(arguments: WinogradCase.all)
    func `an item has the same bits in every batch, place and number of threads`(_ winograd: WinogradCase)
        throws
    {
        let stride = winograd.tile.stride
        for c in [
            convolution(128, 130, [8, 7], stride: stride), convolution(40, 48, [37, 30], stride: stride),
            convolution(16, 24, [5, 5], stride: stride),
        ] {
            let executable = try Executable(c.sketch().graph(["y"]), options: winograd.options)
            var batch = c
            batch.batch = 3
            let elements = try batch.input.elements(as: Float.self)
            let count = elements.count / 3
            func bits(_ threadCount: Int, _ items: [Int]) throws -> [[UInt32]] {
                let floats = items.flatMap { elements[$0 * count..<($0 + 1) * count] }
                let input = try Tensor(floats, shape: Shape([items.count, c.channels] + c.extents))
                let output = try #require(
                    Session(executable, threadCount: threadCount).run(["x": input])["y"])
                let bits = try output.elements(as: Float.self).map(\.bitPattern)
                let size = bits.count / items.count
                return items.indices.map { Array(bits[$0 * size..<($0 + 1) * size]) }
            }
            let expected = try [0, 1, 2].map { try bits(1, [$0])[0] }
            for threadCount in [1, 2, 3, 8] {
                #expect(try bits(threadCount, [0, 1, 2]) == expected)
                #expect(try bits(threadCount, [2, 0]) == [expected[2], expected[0]])
            }
        }
    }

    @Test(arguments: WinogradCase.all)
    func `lanes behind the last channel reach no output`(_ winograd: WinogradCase) throws {
        let kernels = KernelTable(winograd.set)
        let (channels, outputs, side) = (19, 21, 7)
        var noise = Noise(9)
        let tensor = noise.tensor([outputs, channels, 3, 3])
        let weights = try #require(
            tensor.withUnsafeBytes {
                WinogradWeights(
                    $0, tile: winograd.tile, inputChannels: channels, outputChannels: outputs, bias: nil,
                    kernels: kernels)
            })
        let stride = winograd.tile.stride
        let axis = WindowAxis(
            input: side, output: (side - 1) / stride + 1, kernel: 3, stride: stride, dilation: 1, padBegin: 1)
        let convolution = try #require(
            WinogradConvolution(weights: weights, items: 1, axes: [axis, axis], kernels: kernels))
        let tiles = 0..<convolution.tileCount
        let input = FloatMemory(count: convolution.input.itemStride)
        for index in 0..<input.count {
            let channel = index / convolution.input.blockStride * 16 + index % 16
            input.pointer[index] = channel < channels ? noise.next() : .nan
        }
        let panels = 0..<weights.panelCount
        let transformed = FloatMemory(count: convolution.inputTiles(tiles.count).count(winograd.tile))
        let sums = FloatMemory(
            count: convolution.sumTiles(tiles.count, panelCount: panels.count).count(winograd.tile))
        for index in 0..<sums.count { sums.pointer[index] = .nan }
        let output = FloatMemory(count: convolution.output.itemStride)
        convolution.transformInput(
            input.pointer, tiles: tiles, blocks: 0..<convolution.input.blocks, to: transformed.pointer)
        convolution.multiply(transformed.pointer, tileCount: tiles.count, panels: panels, to: sums.pointer)
        convolution.transformOutput(
            sums.pointer, tiles: tiles, panels: panels, residual: nil, lower: -.infinity, upper: .infinity,
            to: output.pointer)
        for index in 0..<output.count {
            let channel = index / convolution.output.blockStride * 16 + index % 16
            if channel < outputs { #expect(output.pointer[index].isFinite) }
        }
    }

    @Test func `weights that are not finite are convolved directly`() throws {
        let c = convolution(16, 16, [8, 8])
        var sketch = try c.sketch()
        var weights = try #require(sketch.constants["w"]).elements(as: Float.self)
        weights[77] = .infinity
        sketch.constants["w"] = try Tensor(weights, shape: Shape([16, 16, 3, 3]))
        let executable = try Executable(sketch.graph(["y"]))
        #expect(executable.stepDescriptions.allSatisfy { !$0.kernel.contains("Winograd") })
    }

    @Test func `can be turned off`() throws {
        let graph = try convolution(16, 16, [8, 8]).sketch().graph(["y"])
        let on = try Executable(graph),
            off = try Executable(graph, options: ExecutionOptions(usesWinograd: false))
        #expect(on.stepDescriptions.contains { $0.kernel.contains("Winograd F(4×4,3×3)") })
        #expect(off.stepDescriptions.allSatisfy { !$0.kernel.contains("Winograd") })
    }

    @Test func `other strides, dilations, groups and other windows are convolved directly`() throws {
        let cases = [
            ConvolutionCase(
                channels: 16, outputChannels: 16, extents: [12, 12], kernel: [3, 3], strides: [3, 3]),
            ConvolutionCase(
                channels: 16, outputChannels: 16, extents: [8, 8], kernel: [3, 3], strides: [1, 2]),
            ConvolutionCase(
                channels: 16, outputChannels: 16, extents: [8, 8], kernel: [3, 3], dilations: [2, 1]),
            ConvolutionCase(channels: 32, outputChannels: 32, group: 2, extents: [8, 8], kernel: [3, 3]),
            ConvolutionCase(channels: 16, outputChannels: 16, extents: [8, 8], kernel: [3, 2]),
            ConvolutionCase(channels: 16, outputChannels: 16, extents: [8], kernel: [3]),
        ]
        for c in cases {
            let executable = try Executable(c.sketch().graph(["y"]))
            #expect(executable.stepDescriptions.allSatisfy { !$0.kernel.contains("Winograd") })
        }
    }

    @Test(arguments: [
        (64, 64, 56, WinogradTile.four), (128, 128, 28, .four), (256, 256, 14, .two), (512, 512, 7, .two),
        (512, 512, 28, .four), (64, 64, 5, .three),
        (160, 320, 14, .three), (160, 320, 7, .two),
        (1024, 1024, 28, .two), (512, 512, 2, nil), (64, 64, 2, nil), (64, 64, 3, .two), (3, 64, 224, nil),
    ])
    func `the tile fits the layer`(inputs: Int, outputs: Int, extent: Int, tile: WinogradTile?) {
        #expect(
            WinogradTile.best(inputChannels: inputs, outputChannels: outputs, outputExtents: (extent, extent))
                == tile)
    }

    @Test(arguments: [
        (64, 128, 28, WinogradTile.twoOfStrideTwo), (256, 256, 14, .twoOfStrideTwo), (512, 512, 7, nil),
        (3, 32, 112, nil),
    ])
    func `the tile of stride 2 fits the layer`(inputs: Int, outputs: Int, extent: Int, tile: WinogradTile?) {
        #expect(
            WinogradTile.best(
                inputChannels: inputs, outputChannels: outputs, stride: 2, outputExtents: (extent, extent))
                == tile)
    }
}
