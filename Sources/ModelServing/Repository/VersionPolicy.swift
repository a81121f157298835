/// Which versions of a model are served; `versionPolicy` in its `model.json`.
package enum VersionPolicy: Sendable, Equatable {
    case all
    /// The highest so many.
    case latest(Int)
    /// These, as far as they are there.
    case specific(Set<Int>)

    /// Of versions in ascending order, those that are served.
    package func chosen(of versions: [Int]) -> [Int] {
        switch self {
        case .all: versions
        case .latest(let count): Array(versions.suffix(count))
        case .specific(let wanted): versions.filter(wanted.contains)
        }
    }

    private static let expectation =
        "'versionPolicy' must be \"all\", {\"latest\": N} or {\"specific\": [N, …]}, N above 0"

    init(_ value: JSONValue) throws(ModelDescription.Invalid) {
        switch value {
        case .string("all"): self = .all
        case .object(let members) where members.count == 1:
            if let count = members["latest"].flatMap(Self.number) {
                self = .latest(count)
            } else if case .array(let values)? = members["specific"], !values.isEmpty {
                var wanted: Set<Int> = []
                for value in values {
                    guard let number = Self.number(value) else {
                        throw ModelDescription.Invalid(reason: Self.expectation)
                    }
                    wanted.insert(number)
                }
                self = .specific(wanted)
            } else {
                throw ModelDescription.Invalid(reason: Self.expectation)
            }
        default: throw ModelDescription.Invalid(reason: Self.expectation)
        }
    }

    private static func number(_ value: JSONValue) -> Int? {
        guard case .number(let real) = value, let number = Int(exactly: real), number > 0 else { return nil }
        return number
    }
}
