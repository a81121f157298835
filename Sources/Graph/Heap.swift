/// A binary heap of integers that gives the least first.
struct Heap {
    private var elements: [Int] = []

    init(_ elements: some Sequence<Int>) {
        for element in elements { insert(element) }
    }

    mutating func insert(_ element: Int) {
        elements.append(element)
        var child = elements.count - 1
        while child > 0, elements[child] < elements[(child - 1) / 2] {
            elements.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func popMinimum() -> Int? {
        guard let minimum = elements.first else { return nil }
        let last = elements.removeLast()
        guard !elements.isEmpty else { return minimum }
        elements[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < elements.count {
                if elements[child] < elements[least] { least = child }
            }
            guard least != parent else { return minimum }
            elements.swapAt(parent, least)
            parent = least
        }
    }
}
