import Tensors

/// A data set in chunks: a grid of equal blocks, each found through a B-tree and filtered for itself.
struct HDF5Chunks {
    private struct Chunk {
        let address: Int
        let byteCount: Int
        let skippedFilters: Int
        let origin: [Int]
    }

    private let file: HDF5File
    private let tree: Int
    private let extents: [Int]
    private let type: ElementType
    private let shape: Shape

    /// Reads a layout message of version 3 and class 2.
    init(file: HDF5File, layout: Int, type: ElementType, shape: Shape) throws(HDF5Error) {
        let bytes = file.bytes
        (self.file, self.type, self.shape) = (file, type, shape)
        guard try bytes.byte(at: layout + 2) == shape.rank + 1, shape.rank > 0 else {
            throw HDF5Error(reason: "HDF5 chunks have another rank than their data set", byteOffset: layout)
        }
        tree = try bytes.offset(at: layout + 3)
        var extents: [Int] = []
        for axis in 0..<shape.rank {
            let extent = try bytes.word(at: layout + 11 + 4 * axis)
            guard extent > 0 else {
                throw HDF5Error(reason: "an HDF5 chunk has an extent of 0", byteOffset: layout)
            }
            extents.append(extent)
        }
        guard try bytes.word(at: layout + 11 + 4 * shape.rank) == type.byteCount else {
            throw HDF5Error(
                reason: "HDF5 chunks have elements of another size than \(type)", byteOffset: layout)
        }
        self.extents = extents
    }

    /// The elements in new memory, of which there can be no more than the file's bytes can stand for.
    func tensor(_ filters: HDF5Filters) throws(HDF5Error) -> Tensor {
        let block: Shape
        do {
            block = try Shape(extents)
        } catch {
            throw HDF5Error(reason: error.description, byteOffset: tree)
        }
        let chunks = try chunks(count: try chunkCount())
        let (stored, overflow) = chunks.reduce((0, false)) { sum, chunk in
            let (value, overflow) = sum.0.addingReportingOverflow(chunk.byteCount)
            return (value, sum.1 || overflow)
        }
        guard !overflow, stored <= file.bytes.count else {
            throw HDF5Error(reason: "HDF5 chunks overlap", byteOffset: tree)
        }
        let blockByteCount = block.count * type.byteCount
        let (held, tooLarge) = blockByteCount.multipliedReportingOverflow(by: chunks.count)
        guard !tooLarge, held / HDF5Limits.maximumDeflateRatio <= stored else {
            throw HDF5Error(
                reason:
                    "HDF5 chunks of \(stored) bytes cannot hold \(chunks.count) times \(blockByteCount) bytes",
                byteOffset: tree)
        }
        return try Tensor(elementType: type, shape: shape) { (memory) throws(HDF5Error) in
            for chunk in chunks {
                let content = try filters.undone(
                    try file.bytes.bytes(chunk.byteCount, at: chunk.address), skipping: chunk.skippedFilters,
                    elementByteCount: type.byteCount, byteCount: blockByteCount, address: chunk.address)
                copy(content, to: memory, at: chunk.origin)
            }
        }
    }

    private func chunkCount() throws(HDF5Error) -> Int {
        var count = 1
        for axis in 0..<shape.rank {
            let part = shape[axis] / extents[axis] + (shape[axis] % extents[axis] == 0 ? 0 : 1)
            let (product, overflow) = count.multipliedReportingOverflow(by: part)
            guard !overflow, product <= HDF5Limits.maximumStepCount else {
                throw HDF5Error(reason: "an HDF5 data set of too many chunks", byteOffset: tree)
            }
            count = product
        }
        return count
    }

    private func chunks(count: Int) throws(HDF5Error) -> [Chunk] {
        var chunks: [Chunk] = []
        if count > 0 { try read(tree, depth: 0, into: &chunks, limit: count) }
        var seen: Set<[Int]> = []
        for chunk in chunks {
            let isInGrid = chunk.origin.indices.allSatisfy {
                chunk.origin[$0] < shape[$0] && chunk.origin[$0] % extents[$0] == 0
            }
            guard isInGrid, seen.insert(chunk.origin).inserted else {
                throw HDF5Error(reason: "HDF5 chunks overlap", byteOffset: tree)
            }
        }
        guard chunks.count == count else {
            throw HDF5Error(
                reason: "an HDF5 data set has \(chunks.count) of \(count) chunks", byteOffset: tree)
        }
        return chunks
    }

    /// Throws at the chunk past `limit`: a tree that leads back to itself has no end.
    private func read(
        _ address: Int, depth: Int, into chunks: inout [Chunk], limit: Int
    ) throws(HDF5Error) {
        let bytes = file.bytes
        try bytes.requireSignature("TREE", at: address)
        guard try bytes.byte(at: address + 4) == 1, depth <= HDF5Limits.maximumTreeDepth else {
            throw HDF5Error(reason: "the HDF5 chunks have no usable tree", byteOffset: address)
        }
        let level = try bytes.byte(at: address + 5)
        let count = try bytes.short(at: address + 6)
        let keyByteCount = 8 + 8 * (shape.rank + 1)
        for index in 0..<count {
            try file.step()
            let key = address + 24 + (keyByteCount + 8) * index
            let child = try bytes.offset(at: key + keyByteCount)
            guard level == 0 else {
                try read(child, depth: depth + 1, into: &chunks, limit: limit)
                continue
            }
            guard chunks.count < limit else {
                throw HDF5Error(reason: "an HDF5 data set of more chunks than its \(limit)", byteOffset: key)
            }
            let origin = try (0..<shape.rank).map { (axis) throws(HDF5Error) in
                try bytes.length(at: key + 8 + 8 * axis)
            }
            chunks.append(
                Chunk(
                    address: child, byteCount: try bytes.word(at: key),
                    skippedFilters: try bytes.word(at: key + 4), origin: origin))
        }
    }

    /// Copies what of a chunk lies inside the data set, row by row along the last axis.
    private func copy(_ content: [UInt8], to memory: UnsafeMutableRawBufferPointer, at origin: [Int]) {
        let last = shape.rank - 1
        let strides = shape.strides
        let rowByteCount = min(extents[last], shape[last] - origin[last]) * type.byteCount
        var position = [Int](repeating: 0, count: shape.rank)
        var source = 0
        while true {
            let isInside = (0..<last).allSatisfy { origin[$0] + position[$0] < shape[$0] }
            if isInside {
                let target = (0..<shape.rank).reduce(0) { $0 + (origin[$1] + position[$1]) * strides[$1] }
                content.withUnsafeBytes {
                    let row = UnsafeRawBufferPointer(rebasing: $0[source..<source + rowByteCount])
                    UnsafeMutableRawBufferPointer(
                        rebasing: memory[target * type.byteCount..<target * type.byteCount + rowByteCount]
                    ).copyMemory(from: row)
                }
            }
            source += extents[last] * type.byteCount
            var axis = last - 1
            while axis >= 0 {
                position[axis] += 1
                if position[axis] < extents[axis] { break }
                position[axis] = 0
                axis -= 1
            }
            if axis < 0 { return }
        }
    }
}
