/// Gives each name once: a name that a model states stays as it is, any other gets a number behind it when it is taken.
struct UniqueNames {
    private var taken: Set<String>
    /// Names that the model states and that have not been given yet.
    private var stated: Set<String>
    private var numbers: [String: Int] = [:]

    /// `names` are those that the model states, any number of times.
    init(stated names: some Sequence<String>) {
        stated = Set(names)
        taken = stated
    }

    /// The stated name the first time, a variant of it later.
    mutating func next(stated name: String) -> String {
        stated.remove(name) ?? next(stem: name)
    }

    /// A name that the model does not state: `stem` itself when it is free.
    mutating func next(stem: String) -> String {
        if taken.insert(stem).inserted { return stem }
        var number = numbers[stem, default: 1]
        while !taken.insert("\(stem)_\(number)").inserted { number += 1 }
        numbers[stem] = number + 1
        return "\(stem)_\(number)"
    }
}
