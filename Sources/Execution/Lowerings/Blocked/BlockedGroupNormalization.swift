import Kernels

extension GroupNormalizationOperation {
    /// The pixels whose moments are taken at once: a block's fit into the first cache but one.
    private static let pixelCount = 1024

    func scheduleBlocked(_ shape: BlockedShape, _ threadCount: Int) -> ScheduledOperation {
        let normalization = normalization
        let size = BlockedShape.blockSize
        let planes = shape.items * shape.blocks
        let pieces = Chunks(total: shape.pixels, size: Self.pixelCount)
        let momentTasks = Chunks.rows(planes * pieces.count, length: pieces.size * size)
        let groupTasks = Chunks.rows(
            shape.items * normalization.groupCount, length: pieces.count * normalization.groupSize)
        let tasks = BlockedRows(shape, threadCount: threadCount)
        // [planes][pieces] of means and squares, then [planes] of factors and shifts, [16] each.
        let momentCount = planes * pieces.count * 2 * size
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: momentTasks.count) { memory, task in
                let functions = kernels.functions.pointee
                for index in momentTasks[task] {
                    let pixels = pieces[index % pieces.count]
                    let source =
                        memory.input(0) + index / pieces.count * shape.blockStride + pixels.lowerBound * size
                    let place = memory.scratch + index * 2 * size
                    functions.channel_mean(place, source, pixels.count, Float(pixels.count))
                    functions.channel_squares(place + size, source, place, pixels.count)
                }
            },
            ScheduledOperation.Phase(taskCount: groupTasks.count) { memory, task in
                for index in groupTasks[task] {
                    let plane = index / normalization.groupCount * shape.blocks
                    let first = index % normalization.groupCount * normalization.groupSize
                    let channels = first..<first + normalization.groupSize
                    var moments = PooledMoments()
                    for channel in channels {
                        for piece in 0..<pieces.count {
                            let block = (plane + channel / size) * pieces.count + piece
                            let place = memory.scratch + block * 2 * size + channel % size
                            moments.add(count: pieces[piece].count, mean: place[0], squares: place[size])
                        }
                    }
                    for channel in channels {
                        let place =
                            memory.scratch + momentCount + (plane + channel / size) * 2 * size + channel
                            % size
                        (place[0], place[size]) = normalization.factors(channel, moments)
                    }
                }
            },
            ScheduledOperation.Phase(taskCount: tasks.count) { memory, task in
                tasks.forEachPiece(task) { plane, _, pixels in
                    let place = plane * shape.blockStride + pixels.lowerBound * size
                    let target = memory.output(0) + place
                    let factors = memory.scratch + momentCount + plane * 2 * size
                    kernels.functions.pointee.channel_affine(
                        target, memory.input(0) + place, factors, factors + size, pixels.count,
                        epilogue.lower,
                        epilogue.upper)
                    epilogue.finish(kernels, target, pixels.count * size)
                }
            },
        ])
        result.reusableInputs = [0]
        result.scratchCount = momentCount + planes * 2 * size
        return result
    }
}
