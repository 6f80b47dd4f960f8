internal import Measurement

/// Text made safe to stand in Markdown as GitHub and GitLab read it, in a table too.
///
/// Signs of Markdown become entities. That is not enough: both look for mentions (`@name`), references (`#12`, `!12`,
/// `GH-12`, commits), addresses and `:emoji:` in the text that they have rendered. A zero-width space in the middle of one
/// leaves it dead; those that foreign text brings along are shown, so all that are invisible are ours.
enum MarkdownText {
    private static let breaker = "&#8203;"

    /// Foreign text as it stands between our words.
    static func escaped(_ text: String, maximumCharacters: Int = 1000) -> String {
        escaped(
            Array(PlainText.sanitized(text, maximumCharacters: maximumCharacters).unicodeScalars),
            isCode: false)
    }

    /// A name as code, where only addresses come alive.
    static func code(_ name: String) -> String {
        let scalars = Array(PlainText.sanitized(name, maximumCharacters: 200).unicodeScalars)
        return "<code>\(escaped(scalars, isCode: true))</code>"
    }

    private static func escaped(_ scalars: [Unicode.Scalar], isCode: Bool) -> String {
        var result = ""
        var wordStart = 0
        for (index, scalar) in scalars.enumerated() {
            if !isWord(scalar) { wordStart = index + 1 }
            let next = index + 1 < scalars.count ? scalars[index + 1] : " "
            switch scalar {
            case "&", "<", ">", "\"", "'", "\\", "|", "`", "*", "_", "[", "]", "#", "~", "@", "$", "!", "^",
                "%":
                result += "&#\(scalar.value);"
            default: result.unicodeScalars.append(scalar)
            }
            let word = scalars[wordStart..<min(index + 1, scalars.count)]
            if breaksBehind(scalar, next, word: word, isCode: isCode) {
                result += breaker
                // What follows is read as a word of its own: a commit's name needs a break every six digits.
                wordStart = index + 1
            }
        }
        return result
    }

    /// Whether what began with a sign would come alive if the text went on without a break.
    private static func breaksBehind(
        _ scalar: Unicode.Scalar, _ next: Unicode.Scalar, word: ArraySlice<Unicode.Scalar>, isCode: Bool
    ) -> Bool {
        switch scalar {
        case "@": return true
        // `http://`, and `:smile:` in text.
        case ":": return next == "/" || !isCode && (isWord(next) || next == "+" || next == "-")
        case "w", "W": return next == "." && String(String.UnicodeScalarView(word)).lowercased() == "www"
        case "#", "!", "~", "%", "$", "&", "^": return !isCode && isWord(next)
        // `GH-12`.
        case "-": return !isCode && next.isDigit
        default: return !isCode && word.count == 6 && isWord(next) && word.allSatisfy(\.isHexDigit)
        }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }
}

extension Unicode.Scalar {
    fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
    fileprivate var isHexDigit: Bool { isDigit || ("a"..."f").contains(self) || ("A"..."F").contains(self) }
}
