/// Digests as pipelines declare them: digits, or the algorithm's name before them, as in `sha256:9f2c...`.
public enum DigestText {
    /// The algorithm that a digest names; nil for one that is digits alone.
    public static func algorithm(_ digest: String) -> String? {
        digest.firstIndex(of: ":").map { String(digest[..<$0]) }
    }

    /// Whether two digests can show that they are of the same content: those of two algorithms always differ.
    public static func areComparable(_ one: String, _ other: String) -> Bool {
        algorithm(one) == algorithm(other)
    }

    /// A digest for a person: its algorithm and its first digits.
    public static func short(_ digest: String) -> String {
        let name = algorithm(digest).map { $0 + ":" } ?? ""
        return name + String(digest.dropFirst(name.count).prefix(12))
    }
}
