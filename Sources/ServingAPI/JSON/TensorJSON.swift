import ModelServing
import Tensors

/// Tensor elements as JSON numbers: flat, or nested as the shape says.
package enum TensorJSON {
    /// Reads `data` of the input `name`, straight into elements.
    package static func read(
        _ reader: inout JSONReader, name: String, elementType: ElementType, shape: Shape
    ) throws(RequestError) -> Tensor {
        _ = reader.peek()
        // An element takes a digit and, but the last, a comma: memory is only reserved for what can come.
        guard shape.count <= (reader.end - reader.position + 1) / 2 else {
            throw .input(
                name,
                reason: "\(JSONPlace.path(of: reader.position, in: reader.bytes)): expected \(shape.count) "
                    + "elements for shape \(shape), got fewer")
        }
        switch elementType {
        case .bool: return try read(&reader, name, shape, as: Bool.self)
        case .uint8: return try read(&reader, name, shape, as: UInt8.self)
        case .uint16: return try read(&reader, name, shape, as: UInt16.self)
        case .uint32: return try read(&reader, name, shape, as: UInt32.self)
        case .uint64: return try read(&reader, name, shape, as: UInt64.self)
        case .int8: return try read(&reader, name, shape, as: Int8.self)
        case .int16: return try read(&reader, name, shape, as: Int16.self)
        case .int32: return try read(&reader, name, shape, as: Int32.self)
        case .int64: return try read(&reader, name, shape, as: Int64.self)
        case .float32: return try read(&reader, name, shape, as: Float.self)
        case .float64: return try read(&reader, name, shape, as: Double.self)
        case .float16, .bfloat16:
            throw .input(
                name, reason: "JSON cannot carry data-type \(elementType.datatype); send it as binary data")
        }
    }

    private static func read<Element: ScannedElement>(
        _ reader: inout JSONReader, _ name: String, _ shape: Shape, as type: Element.Type
    ) throws(RequestError) -> Tensor {
        let start = reader.position
        var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        let tensor = Tensor(unfilled: Element.elementType, shape: shape, memory: &memory)
        // A tensor's own memory is aligned for every element type and holds exactly `shape.count` of them.
        let elements = memory.bindMemory(to: Element.self)
        precondition(elements.count == shape.count, "\(elements.count) elements for shape \(shape)")
        var filler = Filler<Element>(elements: elements, shape: shape)
        let failure = reader.numbers { scanner -> Filler<Element>.Failure? in
            do throws(Filler<Element>.Failure) {
                try filler.fill(&scanner)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw filler.error(failure, Element.elementType, name, reader, start) }
        precondition(filler.count == shape.count, "\(filler.count) of \(shape.count) elements were filled")
        return tensor
    }

    /// Puts numbers into memory in the order in which they come.
    private struct Filler<Element: ScannedElement> {
        enum Failure: Error {
            case element(ScanError)
            case fewElements
            case manyElements
            case nesting
            case list
        }

        let elements: UnsafeMutableBufferPointer<Element>
        let shape: Shape
        var count = 0

        init(elements: UnsafeMutableBufferPointer<Element>, shape: Shape) {
            self.elements = elements
            self.shape = shape
        }

        mutating func fill(_ scanner: inout NumberScanner) throws(Failure) {
            guard scanner.skip(UInt8(ascii: "[")) else {
                // Only a scalar may stand by itself.
                guard shape.rank == 0 else { throw .list }
                return try one(&scanner)
            }
            scanner.skipSpace()
            if scanner.current == UInt8(ascii: "["), shape.rank > 1 {
                try nested(&scanner, axis: 0)
            } else {
                try row(&scanner, count: shape.count)
            }
        }

        /// The lists along `axis`, whose own bracket is passed already.
        private mutating func nested(_ scanner: inout NumberScanner, axis: Int) throws(Failure) {
            guard axis < shape.rank - 1 else {
                do {
                    return try row(&scanner, count: shape[axis])
                } catch {
                    // A row of another length: the shape as a whole may still have as many elements.
                    switch error {
                    case .fewElements, .manyElements: throw .nesting
                    default: throw error
                    }
                }
            }
            for index in 0..<shape[axis] {
                if index > 0, !scanner.skip(UInt8(ascii: ",")) { throw .nesting }
                guard scanner.skip(UInt8(ascii: "[")) else { throw .nesting }
                try nested(&scanner, axis: axis + 1)
            }
            guard scanner.skip(UInt8(ascii: "]")) else { throw .nesting }
        }

        /// `count` numbers and the closing bracket.
        private mutating func row(_ scanner: inout NumberScanner, count rowCount: Int) throws(Failure) {
            let start = count
            let end = start + rowCount
            while count < end {
                if count > start, !scanner.skip(UInt8(ascii: ",")) {
                    throw scanner.current == UInt8(ascii: "]") ? .fewElements : .element(.malformed)
                }
                scanner.skipSpace()
                if count == start, scanner.current == UInt8(ascii: "]") { throw .fewElements }
                let plain = Element.scanPlain(
                    &scanner, into: elements.baseAddress! + count, count: end - count)
                count += plain
                if plain == 0 { try one(&scanner) }
            }
            guard scanner.skip(UInt8(ascii: "]")) else {
                if scanner.current == UInt8(ascii: "[") { throw .nesting }
                // Where nothing but an element too many can be meant, say so.
                throw scanner.current == UInt8(ascii: ",") || rowCount == 0
                    ? .manyElements : .element(.malformed)
            }
        }

        @inline(__always)
        private mutating func one(_ scanner: inout NumberScanner) throws(Failure) {
            let element: Element
            let start = scanner.position
            do {
                element = try Element.scan(&scanner)
            } catch {
                // Errors show what stands there.
                scanner.position = start
                throw scanner.current == UInt8(ascii: "[") ? .nesting : .element(error)
            }
            elements[count] = element
            count += 1
        }

        /// `reader` stands where the failure is, in data that begins at `start`.
        func error(
            _ failure: Failure, _ type: ElementType, _ name: String, _ reader: JSONReader, _ start: Int
        ) -> RequestError {
            var reader = reader
            let count = "\(shape.count) elements for shape \(shape)"
            let next = reader.peek()
            // Behind a value: the list that it is in goes on, or ends, where it should not.
            let isBehind = next == UInt8(ascii: "]") || next == UInt8(ascii: ",")
            let nesting = "lists nested as shape \(shape) says"
            let (place, expected, actual) =
                switch failure {
                case .element(let error): (reader.position, error.expected(type), reader.valueText)
                case .nesting where isBehind: (reader.position, nesting, "one of another length")
                case .nesting: (reader.position, nesting, reader.valueText)
                case .fewElements: (start, count, "\(self.count)")
                case .manyElements: (start, count, "more")
                case .list: (start, "a list", reader.valueText)
                }
            let path = JSONPlace.path(
                of: place, in: reader.bytes, isAround: isBehind && place == reader.position)
            return .input(name, reason: "\(path): expected \(expected), got \(actual)")
        }
    }
}
