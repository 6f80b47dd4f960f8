/// The name under which a profile is frozen: the stem of its files.
public struct VersionName: Hashable, Sendable, CustomStringConvertible {
    /// The name.
    public let text: String
    public var description: String { text }

    /// The longest name, in characters.
    public static let maximumLength = 128

    /// What stands beside the profiles of a directory: the rules, the gate, the noise ledgers, the page, the references
    /// and the archive. In lower case; some file systems know no other.
    static let reserved: Set<String> = [
        "archive", "gate", "ledger", "readme", "references", "regression_rules",
    ]

    /// A name of 1 to 128 letters, digits, `.`, `_`, `+` and `-` that is a plain file name.
    public init(_ text: String) throws(ProfileError) {
        func refuse(_ reason: String) -> ProfileError { .invalidVersion(text, reason: reason) }
        guard !text.isEmpty else { throw refuse("it is empty") }
        guard text.utf8.count <= VersionName.maximumLength else {
            throw refuse("it is longer than \(VersionName.maximumLength) characters")
        }
        guard text.utf8.allSatisfy(VersionName.isAllowed) else {
            throw refuse("only letters, digits and . _ + - are allowed")
        }
        guard !text.hasPrefix("."), !text.hasPrefix("-") else {
            throw refuse("it begins with a dot or a dash")
        }
        guard !text.contains("..") else { throw refuse("it has two dots in a row") }
        guard !text.hasSuffix(".yaml") else { throw refuse("it ends in .yaml, which is added by itself") }
        guard !VersionName.reserved.contains(text.lowercased()) else {
            throw refuse("a file or directory beside the profiles has that name")
        }
        self.text = text
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "+"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// Names that are almost another.
package enum NearestNames {
    /// The nearest of some names, at most three, none of them further off than a typing error or two.
    package static func of(_ name: String, among names: [String]) -> [String] {
        let limit = max(2, name.count / 3)
        let ranked = names.map { (name: $0, distance: editDistance(name, $0)) }.filter {
            $0.distance <= limit
        }
        return ranked.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
    }

    /// How many characters must be added, removed or changed (Levenshtein).
    static func editDistance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (index, character) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in right.enumerated() {
                let changed = diagonal + (character == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(changed, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}
