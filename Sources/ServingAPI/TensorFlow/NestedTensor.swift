import ModelServing
import Tensors

/// A tensor that is read from nested lists: its shape is what they turn out to be.
///
/// The lists nest as deep as the model's input has axes, so the recursion is bounded by the model; an element takes at
/// least two bytes of text, so memory is bounded by the body.
protocol NestedTensor {
    var port: ModelInterface.Port { get }

    /// Passes the value of one index along the axes before `axis`: the lists along `axis` and what is in them.
    mutating func read(_ scanner: inout NumberScanner, axis: Int) throws(NestedMismatch)

    /// The extents; `leading` is that of the first axis where the items came one by one.
    func shape(leading: Int?) -> [Int]

    /// What was read, in a shape with as many elements.
    func tensor(shape: Shape) -> Tensor
}

/// What stands in a request where something else should.
struct NestedMismatch: Error {
    /// From the axis at which reading began.
    let indices: [Int]
    let expected: String
    let actual: String

    /// `[1][3]`.
    var path: String { indices.map { "[\($0)]" }.joined() }
}

enum NestedTensors {
    /// `nil` for element types that JSON cannot carry.
    static func make(_ port: ModelInterface.Port) -> (any NestedTensor)? {
        switch port.elementType {
        case .bool: NestedElements<Bool>(port)
        case .uint8: NestedElements<UInt8>(port)
        case .uint16: NestedElements<UInt16>(port)
        case .uint32: NestedElements<UInt32>(port)
        case .uint64: NestedElements<UInt64>(port)
        case .int8: NestedElements<Int8>(port)
        case .int16: NestedElements<Int16>(port)
        case .int32: NestedElements<Int32>(port)
        case .int64: NestedElements<Int64>(port)
        case .float32: NestedElements<Float>(port)
        case .float64: NestedElements<Double>(port)
        case .float16, .bfloat16: nil
        }
    }
}

private struct NestedElements<Element: ScannedElement>: NestedTensor {
    let port: ModelInterface.Port
    private let rank: Int
    /// What the model says or the lists before have shown.
    private var extents: [Int?]
    private var elements: [Element] = []
    /// Where the scanner stands, for errors.
    private var indices: [Int]

    init(_ port: ModelInterface.Port) {
        self.port = port
        rank = port.dimensions.count
        extents = port.dimensions
        indices = Array(repeating: 0, count: rank)
    }

    mutating func read(_ scanner: inout NumberScanner, axis: Int) throws(NestedMismatch) {
        try value(&scanner, axis: axis, start: axis)
    }

    func shape(leading: Int?) -> [Int] {
        var shape = extents.map { $0 ?? 0 }
        if let leading, rank > 0 { shape[0] = leading }
        return shape
    }

    func tensor(shape: Shape) -> Tensor {
        Tensor(elementType: Element.elementType, shape: shape) { memory in
            elements.withUnsafeBytes { memory.copyMemory(from: $0) }
        }
    }

    private mutating func value(
        _ scanner: inout NumberScanner, axis: Int, start: Int
    ) throws(NestedMismatch) {
        scanner.skipSpace()
        if scanner.current == UInt8(ascii: "{") { return try encoded(&scanner, axis: axis, start: start) }
        guard axis < rank else { return try element(&scanner, start: start) }
        guard scanner.current == UInt8(ascii: "[") else {
            throw mismatch(start, axis, expected: listText(axis), actual: Self.kind(scanner))
        }
        scanner.position += 1
        let expected = extents[axis]
        var count = 0
        scanner.skipSpace()
        if scanner.current == UInt8(ascii: "]") {
            scanner.position += 1
        } else {
            repeat {
                indices[axis] = count
                guard expected.map({ count < $0 }) ?? true else {
                    throw mismatch(start, axis, expected: listText(axis), actual: "more")
                }
                if axis == rank - 1 {
                    scanner.skipSpace()
                    try element(&scanner, start: start)
                } else {
                    try value(&scanner, axis: axis + 1, start: start)
                }
                count += 1
            } while scanner.skip(UInt8(ascii: ","))
            guard scanner.skip(UInt8(ascii: "]")) else {
                throw mismatch(start, axis, expected: "',' or ']'", actual: Self.kind(scanner))
            }
        }
        guard expected == nil || expected == count else {
            throw mismatch(start, axis, expected: listText(axis), actual: "\(count)")
        }
        extents[axis] = count
    }

    @inline(__always)
    private mutating func element(_ scanner: inout NumberScanner, start: Int) throws(NestedMismatch) {
        let before = scanner
        do {
            elements.append(try Element.scan(&scanner))
        } catch {
            throw mismatch(
                start, rank, expected: error.expected(port.elementType), actual: Self.kind(before))
        }
    }

    /// `{"b64": "…"}`: the bytes of all elements behind `axis`, little-endian, in C order.
    private mutating func encoded(
        _ scanner: inout NumberScanner, axis: Int, start: Int
    ) throws(NestedMismatch) {
        guard let bytes = Base64Object.read(&scanner) else {
            throw mismatch(
                start, axis, expected: axis < rank ? listText(axis) : "a number",
                actual: #"an object that is not {"b64": base64}"#)
        }
        let size = MemoryLayout<Element>.stride
        let open = (axis..<rank).filter { extents[$0] == nil }
        var known = size
        for extent in extents[axis...].compactMap({ $0 }) {
            let (product, overflow) = known.multipliedReportingOverflow(by: extent)
            known = overflow ? Int.max : product
        }
        if let last = open.first, open.count == 1, known > 0, bytes.count % known == 0 {
            extents[last] = bytes.count / known
        } else if !open.isEmpty || bytes.count != known {
            throw mismatch(
                start, axis,
                expected: open.count > 1
                    ? "a list, for bytes do not tell \(open.count) extents"
                    : "\(open.isEmpty ? "" : "a multiple of ")\(known) bytes of \(port.elementType.datatype)",
                actual: "\(bytes.count)")
        }
        guard Element.self != Bool.self || bytes.allSatisfy({ $0 <= 1 }) else {
            throw mismatch(start, axis, expected: "bytes that are 0 or 1", actual: "others")
        }
        bytes.withUnsafeBytes { source in
            for offset in Swift.stride(from: 0, to: source.count, by: size) {
                elements.append(source.loadUnaligned(fromByteOffset: offset, as: Element.self))
            }
        }
    }

    private func mismatch(_ start: Int, _ axis: Int, expected: String, actual: String) -> NestedMismatch {
        NestedMismatch(indices: Array(indices[min(start, axis)..<axis]), expected: expected, actual: actual)
    }

    private func listText(_ axis: Int) -> String {
        guard let extent = extents[axis] else { return "a list" }
        return "a list of \(extent)"
    }

    private static func kind(_ scanner: NumberScanner) -> String {
        JSONPlace.value(at: scanner.position, in: scanner.bytes)
    }
}
