/// Takes HTTP/2 frames apart, changes some, and puts them together again. RFC 9113 §4.1.
struct FrameMutator {
    private struct Frame {
        var type: UInt8
        var flags: UInt8
        var stream: UInt8
        var payload: [UInt8]
    }

    private static let headByteCount = 9
    private static let maximumGrowth = 64

    private var random: Generator

    init(seed: CUnsignedInt) { random = Generator(state: UInt64(seed)) }

    /// `nil` where nothing is a frame, and now and then, so that damaged ones are tried too.
    mutating func mutated(_ bytes: UnsafeBufferPointer<UInt8>, maximum: Int) -> [UInt8]? {
        var frames = Self.parse(bytes)
        guard !frames.isEmpty, Int.random(in: 0..<20, using: &random) > 0 else { return nil }
        for _ in 0...Int.random(in: 0..<3, using: &random) { mutate(&frames) }
        let result = frames.flatMap(Self.encoded)
        return result.count <= maximum && !result.isEmpty ? result : nil
    }

    private mutating func mutate(_ frames: inout [Frame]) {
        guard let index = frames.indices.randomElement(using: &random) else { return }
        switch Int.random(in: 0..<10, using: &random) {
        case 0: frames.remove(at: index)
        case 1: frames.insert(frames[index], at: Int.random(in: 0...frames.count, using: &random))
        case 2: frames.swapAt(index, Int.random(in: 0..<frames.count, using: &random))
        case 3: frames[index].type = UInt8.random(in: 0..<12, using: &random)
        case 4: frames[index].flags ^= 1 << UInt8.random(in: 0..<6, using: &random)
        case 5: frames[index].stream = UInt8.random(in: 0..<12, using: &random)
        default:
            var payload = frames[index].payload
            let count = payload.count
            payload += [UInt8](repeating: 0, count: Self.maximumGrowth)
            let changed = payload.withUnsafeMutableBufferPointer {
                libFuzzerMutate($0.baseAddress!, count, $0.count)
            }
            frames[index].payload = Array(payload[..<changed])
        }
    }

    /// What is cut off at the end belongs to the last frame.
    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> [Frame] {
        var frames: [Frame] = []
        var offset = 0
        while bytes.count - offset >= headByteCount {
            let length = Int(bytes[offset]) << 16 | Int(bytes[offset + 1]) << 8 | Int(bytes[offset + 2])
            let start = offset + headByteCount
            let end = min(bytes.count, start + length)
            frames.append(
                Frame(
                    type: bytes[offset + 3], flags: bytes[offset + 4], stream: bytes[offset + 8],
                    payload: Array(bytes[start..<end])))
            offset = end
        }
        return frames
    }

    private static func encoded(_ frame: Frame) -> [UInt8] {
        let count = UInt32(frame.payload.count)
        return [
            UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), frame.type, frame.flags, 0,
            0, 0,
            frame.stream,
        ] + frame.payload
    }

    /// Steele, Lea & Flood 2014.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }
}
