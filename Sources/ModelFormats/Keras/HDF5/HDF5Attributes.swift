import Tensors

extension HDF5Object {
    private static let attribute = 0x0C
    private static let attributeInfo = 0x15

    /// The strings of the attribute called `name`, of fixed or variable length; `nil` when there is none, and none at all
    /// for an empty list of anything.
    package func strings(_ name: String) throws(HDF5Error) -> [String]? {
        for message in messages where message.type == Self.attribute {
            let content = try Self.own(message)
            if let strings = try strings(name, in: content) { return strings }
        }
        guard let info = try message(Self.attributeInfo) else { return nil }
        let bytes = file.bytes
        let flags = try bytes.byte(at: info.lowerBound + 1)
        let heap = info.lowerBound + 2 + (flags & 1 != 0 ? 2 : 0)
        guard try bytes.integer(UInt64.self, at: heap) == HDF5Bytes.undefinedAddress else {
            throw HDF5Error(reason: "dense HDF5 attributes are not supported", byteOffset: heap)
        }
        return nil
    }

    private func strings(_ name: String, in content: Range<Int>) throws(HDF5Error) -> [String]? {
        try file.step()
        let bytes = file.bytes
        let start = content.lowerBound
        let version = try bytes.byte(at: start)
        guard (1...3).contains(version) else {
            throw HDF5Error(reason: "HDF5 attribute version \(version) is not supported", byteOffset: start)
        }
        let sizes = [
            try bytes.short(at: start + 2), try bytes.short(at: start + 4), try bytes.short(at: start + 6),
        ]
        let padding = version == 1 ? 8 : 1
        let parts = sizes.map { ($0 + padding - 1) / padding * padding }
        let nameStart = start + (version == 3 ? 9 : 8)
        guard sizes[0] <= HDF5Limits.maximumNameByteCount, try bytes.text(sizes[0], at: nameStart) == name
        else {
            return nil
        }
        let sharing = version == 1 ? 0 : try bytes.byte(at: start + 1) & 3
        guard sharing == 0 else {
            throw HDF5Error(reason: "shared HDF5 attribute types are not supported", byteOffset: start)
        }
        let space = try HDF5Dataspace(bytes, at: nameStart + parts[0] + parts[1])
        let shape = try space.shape(at: start)
        guard shape.count > 0 else { return [] }
        guard shape.count <= HDF5Limits.maximumStringCount else {
            throw HDF5Error(
                reason: "the HDF5 attribute '\(name)' has \(shape.count) strings", byteOffset: start)
        }
        try file.step(shape.count)
        let type = try HDF5Datatype(bytes, at: nameStart + parts[0])
        let data = nameStart + parts[0] + parts[1] + parts[2]
        switch type {
        case .text(let byteCount):
            let (total, overflow) = byteCount.multipliedReportingOverflow(by: shape.count)
            guard !overflow else { throw HDF5Error(reason: "an endless HDF5 attribute", byteOffset: start) }
            try bytes.require(total, at: data)
            return try (0..<shape.count).map { (index) throws(HDF5Error) in
                try bytes.text(byteCount, at: data + index * byteCount)
            }
        case .variableText:
            try bytes.require(16 * shape.count, at: data)
            return try (0..<shape.count).map { (index) throws(HDF5Error) in
                try heapText(at: data + 16 * index)
            }
        case .number:
            throw HDF5Error(reason: "the HDF5 attribute '\(name)' holds no text", byteOffset: start)
        }
    }

    /// A length, the address of a collection of the global heap, and an object's number in it.
    private func heapText(at reference: Int) throws(HDF5Error) -> String {
        let bytes = file.bytes
        let length = try bytes.word(at: reference)
        if length == 0 { return "" }
        guard length <= HDF5Limits.maximumTextByteCount else {
            throw HDF5Error(reason: "a text of \(length) bytes in the HDF5 file", byteOffset: reference)
        }
        // Any number of references may lead to one text.
        try file.step(length / HDF5Limits.textBytesPerStep)
        let collection = try bytes.offset(at: reference + 4)
        let number = try bytes.word(at: reference + 12)
        try bytes.requireSignature("GCOL", at: collection)
        let end = collection + (try bytes.offset(at: collection + 8))
        try bytes.require(end - collection, at: collection)
        var position = collection + 16
        while end - position >= 16 {
            try file.step()
            let index = try bytes.short(at: position)
            let byteCount = try bytes.offset(at: position + 8)
            if index == 0 { break }
            if index == number {
                guard length <= byteCount else { break }
                return try bytes.text(length, at: position + 16)
            }
            position += 16 + (byteCount + 7) / 8 * 8
        }
        throw HDF5Error(reason: "a text is not in its HDF5 heap", byteOffset: reference)
    }
}
