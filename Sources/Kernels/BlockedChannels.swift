import CKernels

extension FloatMemory {
    /// `lines` floats for each channel, [channels][lines], in blocks: [ceil(channels / 16)][lines][16].
    package convenience init(blocking elements: [Float], lines: Int) {
        let size = Int(CK_BLOCK)
        let channels = lines > 0 ? elements.count / lines : 0
        self.init(count: (channels + size - 1) / size * size * lines)
        for channel in 0..<channels {
            let place = channel / size * size * lines + channel % size
            for line in 0..<lines { pointer[place + line * size] = elements[channel * lines + line] }
        }
    }
}
