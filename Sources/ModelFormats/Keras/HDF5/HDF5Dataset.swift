import Tensors

extension HDF5Object {
    private static let dataspace = 0x01
    private static let datatype = 0x03
    private static let layout = 0x08
    private static let pipeline = 0x0B

    /// The elements of this data set: where they lie in the file, unless they are in chunks.
    package func tensor() throws(HDF5Error) -> Tensor {
        let bytes = file.bytes
        guard let space = try message(Self.dataspace), let typeMessage = try message(Self.datatype),
            let layout = try message(Self.layout)
        else { throw HDF5Error(reason: "the HDF5 object is no data set", byteOffset: address) }
        let shape = try HDF5Dataspace(bytes, at: space.lowerBound).shape(at: space.lowerBound)
        guard case .number(let type) = try HDF5Datatype(bytes, at: typeMessage.lowerBound) else {
            throw HDF5Error(reason: "the HDF5 data set holds no numbers", byteOffset: address)
        }
        let start = layout.lowerBound
        let version = try bytes.byte(at: start)
        guard version == 3 || version == 4 else {
            throw HDF5Error(reason: "HDF5 data layout version \(version) is not supported", byteOffset: start)
        }
        switch (try bytes.byte(at: start + 1), version) {
        case (0, _):
            return try tensor(type, shape, at: start + 4, byteCount: try bytes.short(at: start + 2))
        case (1, _):
            if shape.count == 0 { return Tensor(elementType: type, shape: shape) { _ in } }
            return try tensor(
                type, shape, at: try bytes.offset(at: start + 2), byteCount: try bytes.offset(at: start + 10))
        case (2, 3):
            let filters = try message(Self.pipeline).map { (range) throws(HDF5Error) in
                try HDF5Filters(bytes, at: range.lowerBound)
            }
            return try HDF5Chunks(file: file, layout: start, type: type, shape: shape)
                .tensor(filters ?? HDF5Filters())
        case (2, _):
            throw HDF5Error(
                reason: "HDF5 chunks with an index of version 4 are not supported", byteOffset: start)
        case (let kind, _):
            throw HDF5Error(reason: "HDF5 data layout class \(kind) is not supported", byteOffset: start)
        }
    }

    private func tensor(
        _ type: ElementType, _ shape: Shape, at start: Int, byteCount: Int
    ) throws(HDF5Error) -> Tensor {
        let bytes = file.bytes
        guard byteCount >= shape.count * type.byteCount else {
            throw HDF5Error(
                reason: "a \(type) data set of shape \(shape) has \(byteCount) bytes", byteOffset: start)
        }
        try bytes.require(byteCount, at: start)
        do {
            return try Tensor(
                elementType: type, shape: shape, storage: bytes.storage,
                byteOffset: bytes.range.lowerBound + start)
        } catch {
            throw HDF5Error(reason: error.description, byteOffset: start)
        }
    }
}
