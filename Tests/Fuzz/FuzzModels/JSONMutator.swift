import FuzzSupport
import ModelFormats

/// Changes one value of a JSON text, so that it stays JSON text.
package struct JSONMutator {
    /// Strings that the reader knows.
    private let vocabulary: [String]
    private var random: Generator
    /// All values of the text, which others are replaced by.
    private var values: [JSON] = []
    private var strings: [String] = []

    private static let maximumDepth = 60
    private static let integers: [Int] = [
        0, 1, 2, 3, 4, 7, 8, 16, 64, -1, -2, 1 << 16, 1 << 24, 1 << 31, (1 << 31) - 1, 1 << 32, 1 << 62, .max,
        .min, .min + 1,
    ]
    private static let reals: [Double] = [
        0, -0.0, 1, -1, 0.5, 1e-3, 1e-30, 1e30, 1e-320, 1e300, .infinity, -.infinity, .nan,
    ]

    package init(seed: UInt64, vocabulary: [String]) {
        random = Generator(seed: seed)
        self.vocabulary = vocabulary
    }

    /// `nil` where the text is no JSON, and now and then, so that damaged ones are tried too.
    package mutating func mutated(_ text: [UInt8]) -> [UInt8]? {
        guard !random.chance(3), var json = try? JSONParser.parse(text) else { return nil }
        for _ in 0..<(random.chance(70) ? 1 : random.pick(2...3)) {
            (values, strings) = ([], [])
            collect(json)
            var place = random.pick(0...values.count - 1)
            json = changed(json, at: &place, depth: 0)
        }
        return JSONWriter.text(json)
    }

    private mutating func collect(_ json: JSON) {
        values.append(json)
        switch json {
        case .string(let text): strings.append(text)
        case .array(let elements): for element in elements { collect(element) }
        case .object(let members):
            for member in members.sorted(by: { $0.key < $1.key }) { collect(member.value) }
        default: break
        }
    }

    /// Counts `place` down from value to value, and changes the one where it is 0.
    private mutating func changed(_ json: JSON, at place: inout Int, depth: Int) -> JSON {
        place -= 1
        if place < 0 { return replaced(json, depth: depth) }
        switch json {
        case .array(var elements):
            for index in elements.indices where place >= 0 {
                elements[index] = changed(elements[index], at: &place, depth: depth + 1)
            }
            return .array(elements)
        case .object(var members):
            for key in members.keys.sorted() where place >= 0 {
                members[key] = changed(members[key] ?? .null, at: &place, depth: depth + 1)
            }
            return .object(members)
        default: return json
        }
    }

    private mutating func replaced(_ json: JSON, depth: Int) -> JSON {
        if random.chance(10), depth < Self.maximumDepth / 2 { return another }
        switch json {
        case .null: return another
        case .boolean(let value): return .boolean(!value)
        case .integer(let value): return .integer(integer(value))
        case .real(let value):
            return .real(random.chance(60) ? Self.reals.randomElement(using: &random)! : value * 3 - 1)
        case .string(let text): return .string(string(text))
        case .array(var elements):
            guard !elements.isEmpty, random.chance(95) else { return .array([another]) }
            let index = random.pick(0...elements.count - 1)
            switch random.pick(0...4) {
            case 0: elements.remove(at: index)
            case 1: elements.insert(elements[index], at: index)
            case 2: elements.swapAt(index, random.pick(0...elements.count - 1))
            case 3: elements[index] = another
            default: elements.append(another)
            }
            return .array(elements)
        case .object(var members):
            guard let key = members.keys.sorted().randomElement(using: &random) else {
                return .object([string(""): another])
            }
            switch random.pick(0...3) {
            case 0: members[key] = nil
            case 1: members[key] = another
            case 2: members[string(key)] = members[key]
            default:
                members[
                    values.lazy.compactMap(\.object).flatMap(\.keys).sorted().randomElement(using: &random)!] =
                    another
            }
            return .object(members)
        }
    }

    /// Another value of the text, mostly a small one.
    private var another: JSON {
        mutating get {
            var value = values.randomElement(using: &random)!
            for _ in 0..<3 where value.object != nil || (value.array?.count ?? 0) > 8 {
                value = values.randomElement(using: &random)!
            }
            return value
        }
    }

    private mutating func integer(_ value: Int) -> Int {
        switch random.pick(0...4) {
        case 0: value &+ 1
        case 1: value &- 1
        case 2: random.pick(0...16)
        case 3: values.compactMap(\.integer).randomElement(using: &random) ?? 0
        default: Self.integers.randomElement(using: &random)!
        }
    }

    private mutating func string(_ text: String) -> String {
        switch random.pick(0...9) {
        case 0: String(decoding: libFuzzerMutated(Array(text.utf8)), as: UTF8.self)
        case 1...4: strings.randomElement(using: &random) ?? text
        default: vocabulary.randomElement(using: &random) ?? text
        }
    }
}
