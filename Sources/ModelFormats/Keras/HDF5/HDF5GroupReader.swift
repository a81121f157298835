/// Reads what a group holds: a symbol table (B-tree and local heap), or link messages.
struct HDF5GroupReader {
    let file: HDF5File

    private static let symbolTable = 0x11
    private static let linkInfo = 0x02
    private static let link = 0x06
    private static let entryByteCount = 40

    func links(of group: HDF5Object) throws(HDF5Error) -> [String: Int] {
        if let table = try group.message(Self.symbolTable) {
            return try symbolTable(at: table.lowerBound)
        }
        if let info = try group.message(Self.linkInfo) { try refuseDense(info) }
        var links: [String: Int] = [:]
        for message in group.messages where message.type == Self.link {
            try link(try HDF5Object.own(message), into: &links)
        }
        return links
    }

    // MARK: - Symbol tables

    private func symbolTable(at address: Int) throws(HDF5Error) -> [String: Int] {
        let bytes = file.bytes
        let (tree, heap) = (try bytes.offset(at: address), try bytes.offset(at: address + 8))
        try bytes.requireSignature("HEAP", at: heap)
        let byteCount = try bytes.offset(at: heap + 8)
        let names = try bytes.offset(at: heap + 24)
        try bytes.require(byteCount, at: names)
        var links: [String: Int] = [:]
        try read(tree, names: names..<names + byteCount, depth: 0, into: &links)
        return links
    }

    private func read(
        _ address: Int, names: Range<Int>, depth: Int, into links: inout [String: Int]
    ) throws(HDF5Error) {
        let bytes = file.bytes
        try bytes.requireSignature("TREE", at: address)
        guard try bytes.byte(at: address + 4) == 0, depth <= HDF5Limits.maximumTreeDepth else {
            throw HDF5Error(reason: "the HDF5 group has no usable tree", byteOffset: address)
        }
        let level = try bytes.byte(at: address + 5)
        let count = try bytes.short(at: address + 6)
        for index in 0..<count {
            try file.step()
            let child = try bytes.offset(at: address + 32 + 16 * index)
            if level > 0 {
                try read(child, names: names, depth: depth + 1, into: &links)
            } else {
                try readNode(child, names: names, into: &links)
            }
        }
    }

    private func readNode(
        _ address: Int, names: Range<Int>, into links: inout [String: Int]
    ) throws(HDF5Error) {
        let bytes = file.bytes
        try bytes.requireSignature("SNOD", at: address)
        let count = try bytes.short(at: address + 6)
        for index in 0..<count {
            try file.step()
            let entry = address + 8 + Self.entryByteCount * index
            // A soft link: its target is a path, which neither h5py nor Keras writes for weights.
            guard try bytes.word(at: entry + 16) != 2 else { continue }
            let name = try bytes.name(
                at: names.lowerBound + (try bytes.offset(at: entry)), before: names.upperBound)
            try file.step(name.utf8.count / HDF5Limits.textBytesPerStep)
            links[name] = try bytes.offset(at: entry + 8)
        }
    }

    // MARK: - Link messages

    private func refuseDense(_ info: Range<Int>) throws(HDF5Error) {
        let bytes = file.bytes
        let flags = try bytes.byte(at: info.lowerBound + 1)
        let heap = info.lowerBound + 2 + (flags & 1 != 0 ? 8 : 0)
        guard try bytes.integer(UInt64.self, at: heap) == HDF5Bytes.undefinedAddress else {
            throw HDF5Error(reason: "dense HDF5 groups are not supported", byteOffset: heap)
        }
    }

    private func link(_ content: Range<Int>, into links: inout [String: Int]) throws(HDF5Error) {
        try file.step()
        let bytes = file.bytes
        let flags = try bytes.byte(at: content.lowerBound + 1)
        var position = content.lowerBound + 2
        var type = 0
        if flags & 8 != 0 {
            type = try bytes.byte(at: position)
            position += 1
        }
        if flags & 4 != 0 { position += 8 }
        if flags & 0x10 != 0 { position += 1 }
        let lengthByteCount = 1 << (flags & 3)
        let length = try bytes.number(byteCount: lengthByteCount, at: position)
        position += lengthByteCount
        guard length <= HDF5Limits.maximumNameByteCount else {
            throw HDF5Error(reason: "a name of \(length) bytes in the HDF5 file", byteOffset: position)
        }
        let name = try bytes.text(length, at: position)
        if type == 0 { links[name] = try bytes.offset(at: position + length) }
    }
}
