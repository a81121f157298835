import Execution
import Kernels
import Tensors
import Testing

/// Weights are packed alike by one thread and by several.
@Suite struct PackingTests {
    private static let threadCounts = [2, 3, 64]

    private func weights(_ dimensions: [Int]) -> Tensor {
        var noise = Noise(5)
        return noise.tensor(dimensions)
    }

    /// Whether `pack` gives the same bits on any number of threads.
    private func expectSame(_ pack: (_ packing: PanelPacking) throws -> FloatMemory) rethrows {
        func bits(_ memory: FloatMemory) -> [UInt32] {
            (0..<memory.count).map { memory.pointer[$0].bitPattern }
        }
        let expected = bits(try pack(.callerOnly))
        #expect(expected.contains { $0 != 0 })
        for threadCount in Self.threadCounts {
            #expect(bits(try pack(WorkerPool(threadCount: threadCount).packing)) == expected)
        }
    }

    @Test(arguments: InstructionSet.supported, [1, 3])
    func `blocked weights`(_ set: InstructionSet, _ groups: Int) {
        let (inputs, outputs, taps) = (100, 299, 9)
        let tensor = weights([groups * outputs, inputs, taps])
        expectSame { packing in
            tensor.withUnsafeBytes {
                BlockedWeights(
                    $0, groups: groups, inputChannels: inputs, outputChannels: outputs, taps: taps, bias: nil,
                    kernels: KernelTable(set), packing: packing
                ).memory
            }
        }
    }

    @Test(arguments: InstructionSet.supported, WinogradTile.allCases)
    func `winograd's weights`(_ set: InstructionSet, _ tile: WinogradTile) throws {
        let (inputs, outputs) = (90, 211)
        let tensor = weights([outputs, inputs, 3, 3])
        func pack(_ tensor: Tensor, _ packing: PanelPacking) -> WinogradWeights? {
            tensor.withUnsafeBytes {
                WinogradWeights(
                    $0, tile: tile, inputChannels: inputs, outputChannels: outputs, bias: nil,
                    kernels: KernelTable(set), packing: packing)
            }
        }
        try expectSame { try #require(pack(tensor, $0)).memory }
        // Whichever thread meets it.
        for place in [0, outputs * inputs * 9 - 1] {
            var elements = try tensor.elements(as: Float.self)
            elements[place] = .infinity
            let damaged = try Tensor(elements, shape: tensor.shape)
            for threadCount in Self.threadCounts {
                #expect(pack(damaged, WorkerPool(threadCount: threadCount).packing) == nil)
            }
        }
    }

    @Test(arguments: [false, true], [1, 2])
    func `panels of a matrix`(_ isTransposed: Bool, _ matrixCount: Int) {
        let (lines, depth) = (701, 401)
        let tensor = weights([matrixCount, lines, depth])
        expectSame { packing in
            tensor.withUnsafeBytes {
                PackedMatrix(
                    $0, lines: lines, depth: depth, width: 16, lineStride: isTransposed ? depth : 1,
                    depthStride: isTransposed ? 1 : lines, matrixCount: matrixCount,
                    matrixStride: lines * depth,
                    packing: packing
                ).memory
            }
        }
    }

    @Test(arguments: InstructionSet.supported, [1, 4, 9])
    func `a panel holds every weight in its place`(_ set: InstructionSet, _ taps: Int) throws {
        for (inputs, outputs) in [(1, 1), (3, 5), (37, 21), (64, 48)] {
            let tensor = weights([outputs, inputs, taps])
            let source = try tensor.elements(as: Float.self)
            let packed = tensor.withUnsafeBytes {
                BlockedWeights(
                    $0, groups: 1, inputChannels: inputs, outputChannels: outputs, taps: taps, bias: nil,
                    kernels: KernelTable(set))
            }
            let width = packed.panelChannels
            var place = 0
            for panel in 0..<packed.panelCount {
                for block in stride(from: 0, to: inputs, by: 16) {
                    for tap in 0..<taps {
                        for input in block..<min(inputs, block + 16) {
                            for output in panel * width..<(panel + 1) * width {
                                let expected =
                                    output < outputs ? source[(output * inputs + input) * taps + tap] : 0
                                #expect(packed.memory.pointer[place] == expected)
                                place += 1
                            }
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: [6, 16]) func `a panel of a matrix holds every element in its place`(_ width: Int) throws
    {
        for (lines, depth) in [(1, 1), (5, 3), (21, 37), (48, 64)] {
            let tensor = weights([lines, depth])
            let source = try tensor.elements(as: Float.self)
            let packed = tensor.withUnsafeBytes {
                PackedMatrix($0, lines: lines, depth: depth, width: width, lineStride: depth, depthStride: 1)
            }
            for panel in 0..<packed.panelCount {
                for k in 0..<depth {
                    for line in panel * width..<(panel + 1) * width {
                        let expected = line < lines ? source[line * depth + k] : 0
                        let place = packed.pointer(matrix: 0, panel: panel) + k * width + line % width
                        #expect(place.pointee == expected)
                    }
                }
            }
        }
    }
}
