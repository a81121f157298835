import Tensors

/// Makes dense tensors of sparse ones: values and where they stand, everything else zero.
///
/// Source: ONNX, SparseTensorProto: indices are positions in the dense tensor's elements [count], or one index for each
/// axis [count, rank]; they ascend.
final class ONNXSparseTensorReader {
    private let path: String
    private let tensors: ONNXTensorReader
    /// What all dense tensors together take.
    private var byteCount = 0

    init(path: String, tensors: ONNXTensorReader) {
        self.path = path
        self.tensors = tensors
    }

    /// The tensor that `proto` describes; errors call it `name`.
    func read(_ proto: ONNXSparseTensorProto, name: String) throws(ModelError) -> Tensor {
        guard proto.hasValues, proto.hasIndices else {
            throw refusal(name, "is sparse and lacks its values or its indices")
        }
        let values = try tensors.read(proto.values, name: name)
        let indices = try tensors.read(proto.indices, name: name + ".indices")
        let shape: Shape
        do {
            guard proto.dims.count <= ONNXLimits.maximumRank else {
                throw refusal(
                    name, "has \(proto.dims.count) dimensions, over the limit of \(ONNXLimits.maximumRank)")
            }
            shape = try Shape(proto.dims.map { Int($0) })
        } catch let error as ModelError {
            throw error
        } catch {
            throw refusal(name, "\(error)")
        }
        guard values.shape.rank == 1 else {
            throw refusal(name, "has sparse values of shape \(values.shape), expected one axis")
        }
        let (size, overflow) = shape.count.multipliedReportingOverflow(by: values.elementType.byteCount)
        let limit = ONNXLimits.maximumDenseByteCount
        guard !overflow, size <= limit - byteCount else {
            throw refusal(name, "sparse tensors would take more than \(limit) bytes when they are dense")
        }
        byteCount += size
        let positions = try positions(indices, count: values.shape.count, in: shape, name)
        let elementByteCount = values.elementType.byteCount
        return Tensor(elementType: values.elementType, shape: shape) { bytes in
            values.withUnsafeBytes { source in
                for (index, position) in positions.enumerated() {
                    for byte in 0..<elementByteCount {
                        bytes[position * elementByteCount + byte] = source[index * elementByteCount + byte]
                    }
                }
            }
        }
    }

    /// Where the values stand among the dense tensor's elements.
    private func positions(
        _ tensor: Tensor, count: Int, in shape: Shape, _ name: String
    ) throws(ModelError) -> [Int] {
        let isLinear = tensor.shape.dimensions == [count]
        guard isLinear || tensor.shape.dimensions == [count, shape.rank] else {
            throw refusal(
                name,
                "has \(count) sparse values and indices of shape \(tensor.shape), expected [\(count)] or "
                    + "[\(count), \(shape.rank)]")
        }
        let indices: [Int64]
        do {
            indices = try tensor.elements(as: Int64.self)
        } catch {
            throw refusal(name, "its indices: \(error)")
        }
        let extents = isLinear ? [shape.count] : shape.dimensions
        let strides = isLinear ? [1] : shape.strides
        var positions: [Int] = []
        positions.reserveCapacity(count)
        for value in 0..<count {
            var position = 0
            for axis in extents.indices {
                let index = indices[value * extents.count + axis]
                guard index >= 0, index < extents[axis] else {
                    throw refusal(name, "the index \(index) of sparse value \(value) is out of range")
                }
                position += Int(index) * strides[axis]
            }
            guard position > positions.last ?? -1 else {
                throw refusal(
                    name, "the index of sparse value \(value) does not come after the one before it")
            }
            positions.append(position)
        }
        return positions
    }

    private func refusal(_ name: String, _ reason: String) -> ModelError {
        .tensor(path: path, name: name, reason: reason)
    }
}
