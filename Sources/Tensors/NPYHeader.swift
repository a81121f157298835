/// The Python dictionary at the head of a `.npy` file: exactly the keys descr, fortran_order and shape, in any order.
struct NPYHeader {
    let elementType: ElementType
    let isFortranOrder: Bool
    let shape: [Int]

    init(_ text: String) throws(TensorError) {
        var scanner = Scanner(text)
        var elementType: ElementType?
        var isFortranOrder: Bool?
        var shape: [Int]?
        try scanner.expect("{")
        while !scanner.skip("}") {
            let key = try scanner.quotedString()
            try scanner.expect(":")
            switch key {
            case "descr" where elementType == nil: elementType = try Self.elementType(scanner.quotedString())
            case "fortran_order" where isFortranOrder == nil: isFortranOrder = try scanner.boolean()
            case "shape" where shape == nil: shape = try scanner.integerTuple()
            default: throw Self.error("the header has an unexpected key '\(key)'")
            }
            guard scanner.skip(",") else {
                try scanner.expect("}")
                break
            }
        }
        guard scanner.isAtEnd, let elementType, let isFortranOrder, let shape else {
            throw Self.error("the header needs exactly the keys descr, fortran_order and shape")
        }
        self.elementType = elementType
        self.isFortranOrder = isFortranOrder
        self.shape = shape
    }

    private static func elementType(_ code: String) throws(TensorError) -> ElementType {
        for type in ElementType.allCases {
            guard let known = NPYFile.typeCode(type) else { continue }
            // One-byte types may carry any byte order mark.
            if code == known || (type.byteCount == 1 && code.dropFirst() == known.dropFirst()) { return type }
        }
        throw error("element type '\(code)' is not supported")
    }

    private static func error(_ reason: String) -> TensorError { .file(path: "", reason: reason) }

    /// Reads the few Python literals that a header holds.
    private struct Scanner {
        private var rest: Substring.UTF8View

        init(_ text: String) { rest = Substring(text).utf8 }

        var isAtEnd: Bool {
            mutating get {
                skipSpace()
                return rest.isEmpty
            }
        }

        private mutating func skipSpace() {
            rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        }

        mutating func skip(_ token: String) -> Bool {
            skipSpace()
            guard rest.starts(with: token.utf8) else { return false }
            rest = rest.dropFirst(token.utf8.count)
            return true
        }

        mutating func expect(_ token: String) throws(TensorError) {
            guard skip(token) else {
                throw NPYHeader.error("the header lacks '\(token)' where it is expected")
            }
        }

        mutating func quotedString() throws(TensorError) -> String {
            skipSpace()
            guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\""),
                let end = rest.dropFirst().firstIndex(of: quote)
            else { throw NPYHeader.error("the header lacks a string where it is expected") }
            let contents = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
            return String(decoding: contents, as: UTF8.self)
        }

        mutating func boolean() throws(TensorError) -> Bool {
            if skip("True") { return true }
            try expect("False")
            return false
        }

        mutating func integerTuple() throws(TensorError) -> [Int] {
            var integers: [Int] = []
            try expect("(")
            while !skip(")") {
                skipSpace()
                let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                guard let integer = Int(String(decoding: digits, as: UTF8.self)) else {
                    throw NPYHeader.error("the header's shape holds no integer where one is expected")
                }
                integers.append(integer)
                rest = rest[digits.endIndex...]
                guard skip(",") else {
                    try expect(")")
                    break
                }
            }
            return integers
        }
    }
}
