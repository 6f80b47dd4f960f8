/// The name that the user probably meant.
public enum NearestName {
    /// The candidate nearest to a mistyped name, nil when none is near.
    ///
    /// Near is an edit distance (Levenshtein) of at most a third of the name's length, and at least two.
    public static func to(_ name: String, among candidates: [String]) -> String? {
        let limit = max(2, name.count / 3)
        return candidates.map { (distance: distance(name, $0), name: $0) }
            .filter { $0.distance <= limit }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
    }

    /// The number of insertions, deletions and replacements that turn one text into another, by Wagner and Fischer.
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var previous = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for column in right.indices {
                let replaced = previous[column] + (character == right[column] ? 0 : 1)
                current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[right.count]
    }
}
