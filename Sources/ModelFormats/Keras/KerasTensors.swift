import Tensors

extension Tensor {
    /// The elements with their axes in another order, in new memory.
    func permuted(_ order: [Int]) throws(KerasRefusal) -> Tensor {
        let target: Shape
        do {
            target = try Shape(order.map { shape[$0] })
        } catch {
            throw KerasRefusal(error.description)
        }
        let strides = order.map { shape.strides[$0] }
        let size = elementType.byteCount
        return Tensor(elementType: elementType, shape: target) { memory in
            guard target.count > 0 else { return }
            withUnsafeBytes { source in
                var position = [Int](repeating: 0, count: target.rank)
                var offset = 0
                for index in 0..<target.count {
                    memory.baseAddress?.advanced(by: index * size)
                        .copyMemory(from: source.baseAddress! + offset * size, byteCount: size)
                    var axis = target.rank - 1
                    while axis >= 0 {
                        position[axis] += 1
                        offset += strides[axis]
                        if position[axis] < target[axis] { break }
                        offset -= position[axis] * strides[axis]
                        position[axis] = 0
                        axis -= 1
                    }
                }
            }
        }
    }

    func withShape(_ dimensions: [Int]) throws(KerasRefusal) -> Tensor {
        do {
            return try reshaped(to: try Shape(dimensions))
        } catch {
            throw KerasRefusal(error.description)
        }
    }

    var floats: [Float] {
        get throws(KerasRefusal) {
            do {
                return try elements(as: Float.self)
            } catch {
                throw KerasRefusal(error.description)
            }
        }
    }
}
