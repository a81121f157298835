/// Finds what a misspelt name was meant to be.
package enum NearestName {
    /// Longer names are not compared: the comparison takes the product of the lengths.
    package static let maximumByteCount = 64

    /// The candidate with the fewest edits to `name` (Levenshtein 1966), the first of equals.
    package static func nearest(to name: String, among candidates: [String]) -> String? {
        guard name.utf8.count <= maximumByteCount else { return nil }
        return candidates.min { distance(name, $0) < distance(name, $1) }
    }

    /// The error sentence's end: `; did you mean 'labels'?`, or nothing.
    package static func hint(for name: String, among candidates: [String]) -> String {
        nearest(to: name, among: candidates).map { "; did you mean '\($0)'?" } ?? ""
    }

    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8.prefix(maximumByteCount))
        var row = Array(0...right.count)
        for (position, byte) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = position + 1
            for index in right.indices {
                let substituted = diagonal + (byte == right[index] ? 0 : 1)
                diagonal = row[index + 1]
                row[index + 1] = min(substituted, row[index] + 1, row[index + 1] + 1)
            }
        }
        return row[right.count]
    }
}
