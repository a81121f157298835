/// Places buffers that live for a while into one arena, so that those that live at the same time do not overlap.
///
/// Goes through the steps in order and gives each buffer the smallest gap that holds it, or the arena's end.
package struct MemoryPlanner {
    /// A buffer that is written at step `first` and read until step `last`, both included.
    package struct Buffer {
        package let byteCount: Int
        package let first: Int
        package let last: Int

        package init(byteCount: Int, first: Int, last: Int) {
            self.byteCount = byteCount
            self.first = first
            self.last = last
        }
    }

    /// Where each buffer begins, and the bytes of the whole; `nil` when they are more than `limit`.
    package static func place(_ buffers: [Buffer], limit: Int) -> (byteOffsets: [Int], byteCount: Int)? {
        var offsets = [Int](repeating: 0, count: buffers.count)
        var gaps: [Gap] = []
        var end = 0
        let byStart = buffers.indices.sorted { (buffers[$0].first, $0) < (buffers[$1].first, $1) }
        let byEnd = buffers.indices.sorted { (buffers[$0].last, $0) < (buffers[$1].last, $1) }
        var released = 0
        for index in byStart {
            while released < byEnd.count, buffers[byEnd[released]].last < buffers[index].first {
                let done = byEnd[released]
                release(Gap(start: offsets[done], byteCount: aligned(buffers[done].byteCount)), &gaps)
                released += 1
            }
            guard buffers[index].byteCount <= limit else { return nil }
            let needed = aligned(buffers[index].byteCount)
            if let best = gaps.indices.filter({ gaps[$0].byteCount >= needed })
                .min(by: { gaps[$0].byteCount < gaps[$1].byteCount })
            {
                offsets[index] = gaps[best].start
                gaps[best].start += needed
                gaps[best].byteCount -= needed
                if gaps[best].byteCount == 0 { gaps.remove(at: best) }
            } else if let last = gaps.last, last.start + last.byteCount == end {
                // The gap at the end grows.
                offsets[index] = last.start
                end = last.start + needed
                gaps.removeLast()
            } else {
                offsets[index] = end
                end += needed
            }
            guard end <= limit else { return nil }
        }
        return (offsets, end)
    }

    private struct Gap {
        var start: Int
        var byteCount: Int
    }

    /// No overflow: buffers are not larger than the limit, and limits leave room.
    private static func aligned(_ byteCount: Int) -> Int {
        (byteCount + Arena.alignment - 1) / Arena.alignment * Arena.alignment
    }

    /// Adds a gap and merges it with its neighbours; gaps are in the order of their places.
    private static func release(_ gap: Gap, _ gaps: inout [Gap]) {
        guard gap.byteCount > 0 else { return }
        var position = gaps.firstIndex { $0.start > gap.start } ?? gaps.count
        gaps.insert(gap, at: position)
        if position + 1 < gaps.count, gap.start + gap.byteCount == gaps[position + 1].start {
            gaps[position].byteCount += gaps.remove(at: position + 1).byteCount
        }
        if position > 0, gaps[position - 1].start + gaps[position - 1].byteCount == gaps[position].start {
            gaps[position - 1].byteCount += gaps.remove(at: position).byteCount
            position -= 1
        }
    }
}
