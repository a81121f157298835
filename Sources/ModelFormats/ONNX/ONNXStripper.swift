import Graph

/// Copies a model file's structure and leaves its weights where they are.
///
/// The result is a message of onnx.proto: the fields that `ONNXSchema` names, with ranges of the file in place of the
/// elements of tensors. What it gives out is well formed, so decoding it cannot fail. The schema refers to itself for
/// graphs inside graphs alone, and their depth is limited: so is the recursion here, and the decoder's.
struct ONNXStripper {
    private let file: UnsafeRawBufferPointer
    private var result: [UInt8] = []
    private var messageCount = 0
    private var fieldCount = 0
    /// How many graphs the present one lies in.
    private var depth = 0

    /// The bytes that hold a message's length before it is known: a varint, padded.
    private static let lengthByteCount = 5

    /// The structure of the message in `file`: an ONNX model, or what `schema` describes.
    static func strip(
        _ file: UnsafeRawBufferPointer, schema: ONNXSchema = .model
    ) throws(ProtobufScanner.Damage) -> [UInt8] {
        var stripper = ONNXStripper(file: file)
        try stripper.copyMessage(0..<file.count, schema: schema)
        return stripper.result
    }

    private init(file: UnsafeRawBufferPointer) { self.file = file }

    private mutating func copyMessage(
        _ range: Range<Int>, schema: ONNXSchema
    ) throws(ProtobufScanner.Damage) {
        try Self.count(
            &messageCount, "messages", maximum: ONNXLimits.maximumMessageCount, at: range.lowerBound)
        var occurrences: [Int: Int] = [:]
        var scanner = ProtobufScanner(file, in: range)
        while let field = try scanner.nextField() {
            guard let rule = schema.fields[field.number] else { continue }
            try Self.count(
                &fieldCount, "fields", maximum: ONNXLimits.maximumFieldCount, at: field.whole.lowerBound)
            if rule.maximumCount < Int.max {
                try Self.count(
                    &occurrences[field.number, default: 0], "'\(rule.name)' fields",
                    maximum: rule.maximumCount, at: field.whole.lowerBound)
            }
            try copy(field, rule)
            // The next field adds at most its own size, and this one was inside the file.
            try Self.check(
                "the structure's bytes", result.count, maximum: ONNXLimits.maximumStructureByteCount,
                at: field.whole.lowerBound)
        }
    }

    /// A field with another wire type than its own counts as unknown and is skipped, as protobuf does.
    private mutating func copy(
        _ field: ProtobufScanner.Field, _ rule: ONNXSchema.Field
    ) throws(ProtobufScanner.Damage) {
        switch (rule.content, field.wireType) {
        case (.numbers, .varint), (.floats, .fixed32):
            append(field)
        case (.numbers, .lengthDelimited):
            try checkVarints(field.content)
            try copyWhole(field)
        case (.floats, .lengthDelimited):
            try Self.checkMultiple(of: 4, field, rule)
            try copyWhole(field)
        case (.text(let maximum), .lengthDelimited):
            try Self.check(
                "'\(rule.name)' bytes", field.content.count, maximum: maximum, at: field.whole.lowerBound)
            let text = UnsafeRawBufferPointer(rebasing: file[field.content])
            guard String(validating: text, as: UTF8.self) != nil else {
                throw ProtobufScanner.Damage(
                    reason: "'\(rule.name)' is not UTF-8", byteOffset: field.content.lowerBound)
            }
            append(field)
        case (.message(let schema), .lengthDelimited):
            try copySubmessage(field, schema)
        case (.subgraph, .lengthDelimited):
            depth += 1
            try Self.check(
                "nesting of subgraphs", depth, maximum: Subgraph.maximumDepth, at: field.whole.lowerBound)
            try copySubmessage(field, .graph)
            depth -= 1
        case (.elements(let range, let size), .lengthDelimited):
            try Self.checkMultiple(of: size, field, rule)
            appendRange(field.content, number: range)
        case (.elements(let range, 4), .fixed32), (.elements(let range, 8), .fixed64):
            appendRange(field.content, number: range)
        default:
            break
        }
    }

    private mutating func copyWhole(_ field: ProtobufScanner.Field) throws(ProtobufScanner.Damage) {
        try Self.check(
            "the structure's bytes", result.count + field.whole.count,
            maximum: ONNXLimits.maximumStructureByteCount, at: field.whole.lowerBound)
        append(field)
    }

    private mutating func append(_ field: ProtobufScanner.Field) {
        appendTag(field.number, field.wireType)
        if field.wireType == .lengthDelimited { appendVarint(UInt64(field.content.count)) }
        result.append(contentsOf: file[field.content])
    }

    private mutating func copySubmessage(
        _ field: ProtobufScanner.Field, _ schema: ONNXSchema
    ) throws(ProtobufScanner.Damage) {
        appendTag(field.number, .lengthDelimited)
        let start = result.count
        result.append(contentsOf: repeatElement(0, count: Self.lengthByteCount))
        try copyMessage(field.content, schema: schema)
        let length = result.count - start - Self.lengthByteCount
        for index in 0..<Self.lengthByteCount {
            let isLast = index == Self.lengthByteCount - 1
            result[start + index] = UInt8(length >> (7 * index) & 0x7f) | (isLast ? 0 : 0x80)
        }
    }

    /// A field `number` that holds a `ByteRange`.
    private mutating func appendRange(_ range: Range<Int>, number: Int) {
        appendTag(number, .lengthDelimited)
        result.append(18)
        for (tag, value) in [(UInt8(1 << 3 | 1), range.lowerBound), (UInt8(2 << 3 | 1), range.count)] {
            result.append(tag)
            withUnsafeBytes(of: UInt64(value).littleEndian) { result.append(contentsOf: $0) }
        }
    }

    private mutating func appendTag(_ number: Int, _ wireType: ProtobufScanner.WireType) {
        appendVarint(UInt64(number) << 3 | UInt64(wireType.rawValue))
    }

    private mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            result.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        result.append(UInt8(rest))
    }

    private func checkVarints(_ range: Range<Int>) throws(ProtobufScanner.Damage) {
        var scanner = ProtobufScanner(file, in: range)
        while scanner.position < range.upperBound { _ = try scanner.nextVarint() }
    }

    private static func checkMultiple(
        of elementByteCount: Int, _ field: ProtobufScanner.Field, _ rule: ONNXSchema.Field
    ) throws(ProtobufScanner.Damage) {
        guard field.content.count % elementByteCount == 0 else {
            throw ProtobufScanner.Damage(
                reason:
                    "'\(rule.name)' has \(field.content.count) bytes, expected a multiple of \(elementByteCount)",
                byteOffset: field.whole.lowerBound)
        }
    }

    private static func count(
        _ counter: inout Int, _ what: @autoclosure () -> String, maximum: Int, at byteOffset: Int
    ) throws(ProtobufScanner.Damage) {
        counter += 1
        try Self.check(what(), counter, maximum: maximum, at: byteOffset)
    }

    private static func check(
        _ what: @autoclosure () -> String, _ actual: Int, maximum: Int, at byteOffset: Int
    ) throws(ProtobufScanner.Damage) {
        guard actual <= maximum else {
            throw ProtobufScanner.Damage(
                reason: "\(what()): \(actual) is over the limit of \(maximum)", byteOffset: byteOffset)
        }
    }
}
