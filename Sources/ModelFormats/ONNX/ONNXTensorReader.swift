import Tensors

/// Makes tensors of what a model file says about them; their elements stay in the file where it stores them as they are
/// in memory.
struct ONNXTensorReader {
    let path: String
    let storage: Storage
    let externalData: ONNXExternalData

    /// The fields that can hold elements, and how many each of a tensor's has.
    private static func elementCounts(_ proto: ONNXTensorProto) -> [(field: String, count: Int)] {
        [
            ("float_data", proto.floatDataRanges.count), ("double_data", proto.doubleDataRanges.count),
            ("int32_data", proto.int32Data.count), ("int64_data", proto.int64Data.count),
            ("uint64_data", proto.uint64Data.count),
        ]
    }

    /// The field that holds the elements of a type, when they are not raw.
    private static func field(_ type: ElementType) -> String {
        switch type {
        case .float32: "float_data"
        case .float64: "double_data"
        case .int64: "int64_data"
        case .uint32, .uint64: "uint64_data"
        case .bool, .uint8, .uint16, .int8, .int16, .int32, .float16, .bfloat16: "int32_data"
        }
    }

    /// The tensor that `proto` describes; errors call it `name`.
    func read(_ proto: ONNXTensorProto, name: String) throws(ModelError) -> Tensor {
        guard let type = ONNXElementType.type(proto.dataType) else {
            throw refusal(name, "element type \(ONNXElementType.name(proto.dataType)) is not supported")
        }
        guard !proto.hasSegment else { throw refusal(name, "is stored in segments, which is not supported") }
        let shape = try shape(proto, name)
        let tensor: Tensor
        do {
            switch proto.dataLocation {
            case 0: tensor = try local(proto, type, shape, name)
            case 1: tensor = try external(proto, type, shape, name)
            default: throw refusal(name, "data_location is \(proto.dataLocation), expected 0 or 1")
            }
            if type == .bool { _ = try tensor.elements(as: Bool.self) }
        } catch let error as TensorError {
            throw refusal(name, error.description)
        } catch let error as ModelError {
            throw error
        } catch {
            throw refusal(name, "\(error)")
        }
        return tensor
    }

    private func shape(_ proto: ONNXTensorProto, _ name: String) throws(ModelError) -> Shape {
        guard proto.dims.count <= ONNXLimits.maximumRank else {
            throw refusal(
                name, "has \(proto.dims.count) dimensions, over the limit of \(ONNXLimits.maximumRank)")
        }
        do {
            return try Shape(proto.dims.map { Int($0) })
        } catch {
            throw refusal(name, error.description)
        }
    }

    // MARK: - In the model file

    private func local(
        _ proto: ONNXTensorProto, _ type: ElementType, _ shape: Shape, _ name: String
    ) throws -> Tensor {
        let filled = Self.elementCounts(proto).filter { $0.count > 0 }.map(\.field)
        if proto.hasRawDataRange {
            guard filled.isEmpty else {
                throw refusal(name, "has elements in raw_data and in \(filled.joined(separator: ", "))")
            }
            return try view([proto.rawDataRange], type, shape)
        }
        let expected = Self.field(type)
        if let other = filled.first(where: { $0 != expected }) {
            throw refusal(name, "has elements in \(other), expected \(type) elements in \(expected)")
        }
        switch type {
        case .float32: return try view(proto.floatDataRanges, type, shape)
        case .float64: return try view(proto.doubleDataRanges, type, shape)
        case .int64: return try Tensor(proto.int64Data, shape: shape)
        case .uint64: return try Tensor(proto.uint64Data, shape: shape)
        case .uint32: return try narrowed(proto.uint64Data, to: UInt32.self, type, shape, name)
        case .int32: return try Tensor(proto.int32Data, shape: shape)
        case .int16: return try narrowed(proto.int32Data, to: Int16.self, type, shape, name)
        case .int8: return try narrowed(proto.int32Data, to: Int8.self, type, shape, name)
        case .uint16, .float16, .bfloat16:
            return try narrowed(proto.int32Data, to: UInt16.self, type, shape, name)
        case .uint8, .bool: return try narrowed(proto.int32Data, to: UInt8.self, type, shape, name)
        }
    }

    /// The elements in `ranges` of the file: a view of one range, a copy of several.
    private func view(_ ranges: [ONNXByteRange], _ type: ElementType, _ shape: Shape) throws -> Tensor {
        let expected = shape.count * type.byteCount
        // The ranges are disjoint parts of the file, so neither their ends nor their sum overflow.
        let actual = ranges.reduce(0) { $0 + Int($1.byteCount) }
        guard actual == expected else {
            throw TensorError.byteCount(
                elementType: type, shape: shape.dimensions, expected: expected, actual: actual)
        }
        if let range = ranges.first, ranges.count == 1 {
            return try Tensor(
                elementType: type, shape: shape, storage: storage, byteOffset: Int(range.offset))
        }
        return Tensor(elementType: type, shape: shape) { bytes in
            var end = 0
            for range in ranges {
                let part = storage.bytes[Int(range.offset)..<Int(range.offset) + Int(range.byteCount)]
                UnsafeMutableRawBufferPointer(rebasing: bytes[end...]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: part))
                end += part.count
            }
        }
    }

    private func narrowed<Stored: FixedWidthInteger, Element: FixedWidthInteger>(
        _ values: [Stored], to element: Element.Type, _ type: ElementType, _ shape: Shape, _ name: String
    ) throws -> Tensor {
        guard values.count == shape.count else {
            throw TensorError.elementCount(
                shape: shape.dimensions, expected: shape.count, actual: values.count)
        }
        if let index = values.firstIndex(where: { Element(exactly: $0) == nil }) {
            throw refusal(
                name, "element \(index) is \(values[index]), out of the range of \(type)'s bits")
        }
        return Tensor(elementType: type, shape: shape) { bytes in
            for (index, value) in values.enumerated() {
                bytes.storeBytes(
                    of: Element(truncatingIfNeeded: value), toByteOffset: index * type.byteCount,
                    as: Element.self)
            }
        }
    }

    // MARK: - In a file beside the model

    private func external(
        _ proto: ONNXTensorProto, _ type: ElementType, _ shape: Shape, _ name: String
    ) throws -> Tensor {
        let filled = Self.elementCounts(proto).filter { $0.count > 0 }.map(\.field)
        guard !proto.hasRawDataRange, filled.isEmpty else {
            throw refusal(name, "has elements both in the model and in an external file")
        }
        var entries: [String: String] = [:]
        for entry in proto.externalData { entries[entry.key] = entry.value }
        guard let location = entries["location"] else {
            throw refusal(name, "its external data has no location")
        }
        let byteCount = shape.count * type.byteCount
        let offset = try count(entries["offset"], "offset", name) ?? 0
        if let length = try count(entries["length"], "length", name), length != byteCount {
            throw TensorError.byteCount(
                elementType: type, shape: shape.dimensions, expected: byteCount, actual: length)
        }
        let storage: Storage
        do {
            storage = try externalData.storage(at: location)
        } catch {
            throw refusal(name, error.reason)
        }
        guard offset <= storage.bytes.count, byteCount <= storage.bytes.count - offset else {
            throw refusal(
                name,
                "needs \(byteCount) bytes from byte \(offset) of '\(location)', which has \(storage.bytes.count)"
            )
        }
        return try Tensor(elementType: type, shape: shape, storage: storage, byteOffset: offset)
    }

    private func count(_ text: String?, _ key: String, _ name: String) throws(ModelError) -> Int? {
        guard let text else { return nil }
        guard let value = Int(text), value >= 0 else {
            throw refusal(name, "its external data has \(key) '\(text)', expected a byte count")
        }
        return value
    }

    private func refusal(_ name: String, _ reason: String) -> ModelError {
        .tensor(path: path, name: name, reason: reason)
    }
}
