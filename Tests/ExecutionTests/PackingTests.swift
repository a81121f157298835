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
    private func expectSame(_ pack: (_ threadCount: Int) throws -> FloatMemory) rethrows {
        func bits(_ memory: FloatMemory) -> [UInt32] {
            (0..<memory.count).map { memory.pointer[$0].bitPattern }
        }
        let expected = bits(try pack(1))
        #expect(expected.contains { $0 != 0 })
        for threadCount in Self.threadCounts { #expect(bits(try pack(threadCount)) == expected) }
    }

    @Test(arguments: InstructionSet.supported, [1, 3])
    func `blocked weights`(_ set: InstructionSet, _ groups: Int) {
        let (inputs, outputs, taps) = (100, 299, 9)
        let tensor = weights([groups * outputs, inputs, taps])
        expectSame { threadCount in
            tensor.withUnsafeBytes {
                BlockedWeights(
                    $0, groups: groups, inputChannels: inputs, outputChannels: outputs, taps: taps, bias: nil,
                    kernels: KernelTable(set), threadCount: threadCount
                ).memory
            }
        }
    }

    @Test(arguments: InstructionSet.supported, WinogradTile.allCases)
    func `winograd's weights`(_ set: InstructionSet, _ tile: WinogradTile) throws {
        let (inputs, outputs) = (90, 211)
        let tensor = weights([outputs, inputs, 3, 3])
        func pack(_ tensor: Tensor, _ threadCount: Int) -> WinogradWeights? {
            tensor.withUnsafeBytes {
                WinogradWeights(
                    $0, tile: tile, inputChannels: inputs, outputChannels: outputs, bias: nil,
                    kernels: KernelTable(set), threadCount: threadCount)
            }
        }
        try expectSame { try #require(pack(tensor, $0)).memory }
        // Whichever thread meets it.
        for place in [0, outputs * inputs * 9 - 1] {
            var elements = try tensor.elements(as: Float.self)
            elements[place] = .infinity
            let damaged = try Tensor(elements, shape: tensor.shape)
            for threadCount in Self.threadCounts { #expect(pack(damaged, threadCount) == nil) }
        }
    }

    @Test(arguments: [false, true], [1, 2])
    func `panels of a matrix`(_ isTransposed: Bool, _ matrixCount: Int) {
        let (lines, depth) = (701, 401)
        let tensor = weights([matrixCount, lines, depth])
        expectSame { threadCount in
            tensor.withUnsafeBytes {
                PackedMatrix(
                    $0, lines: lines, depth: depth, width: 16, lineStride: isTransposed ? depth : 1,
                    depthStride: isTransposed ? 1 : lines, matrixCount: matrixCount,
                    matrixStride: lines * depth,
                    threadCount: threadCount
                ).memory
            }
        }
    }
}
