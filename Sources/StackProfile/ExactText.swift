/// A text that is equal to another only if both have the same bytes.
///
/// `String` compares letters: `é` as one code point equals `e` with an accent behind it. Two functions of such names
/// are two functions, and which of the names survived would depend on the order of a file.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package static func == (one: ExactText, other: ExactText) -> Bool { one.text.isIdentical(to: other.text) }

    // Equal bytes are equal letters, so the hash of the letters serves.
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension String {
    /// Whether the bytes are the same.
    func isIdentical(to other: String) -> Bool {
        utf8.count == other.utf8.count && self == other && utf8.elementsEqual(other.utf8)
    }
}

extension String? {
    /// Whether the bytes are the same, or both are missing.
    func isIdentical(to other: String?) -> Bool {
        switch (self, other) {
        case (nil, nil): true
        case (let one?, let other?): one.isIdentical(to: other)
        default: false
        }
    }
}
