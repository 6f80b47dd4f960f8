/// A command given as one text, taken apart as a shell takes it apart, without anything else a shell does.
public enum CommandWords {
    /// The words of a text: separated by spaces, tabs and line ends; single and double quotes keep them together, and a
    /// backslash takes what follows as it is, but not inside single quotes.
    ///
    /// - Returns: Nil when a quote is not closed or nothing follows a backslash.
    public static func split(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var characters = text.makeIterator()
        while let character = characters.next() {
            if character == "\\" && quote != "'" {
                guard let next = characters.next() else { return nil }
                // Inside double quotes a backslash only takes the meaning from what has one there.
                let isKept = quote == "\"" && next != "\"" && next != "\\"
                word = (word ?? "") + (isKept ? "\\" : "") + String(next)
            } else if let open = quote {
                if character == open { quote = nil } else { word?.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else { return nil }
        if let done = word { words.append(done) }
        return words
    }

    /// The characters of a text that a shell would act on, each once, in order: redirections, pipes, lists, substitutions,
    /// patterns, comments. What is quoted is not among them, nor is a `$` that begins no expansion.
    public static func shellCharacters(_ text: String) -> [Character] {
        var found: [Character] = []
        var quote: Character?
        var isEscaped = false
        var before: Character?
        var rest = text[...]
        while let character = rest.popFirst() {
            defer { before = character }
            if isEscaped {
                isEscaped = false
            } else if character == "\\" && quote != "'" {
                isEscaped = true
            } else if let open = quote, character == open {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                quote = character
            } else if quote != "'",
                isActive(character, after: before, next: rest.first, isQuoted: quote != nil),
                !found.contains(character)
            {
                found.append(character)
            }
        }
        return found
    }

    private static func isActive(
        _ character: Character, after before: Character?, next: Character?, isQuoted: Bool
    ) -> Bool {
        switch character {
        case "`": return true
        case "$": return next.map { $0.isLetter || $0.isNumber || "_({?@*#$!-".contains($0) } ?? false
        case _ where isQuoted: return false
        case "<", ">", "|", ";", "&", "(", ")", "*", "?", "[": return true
        // They mean something only where a word begins.
        case "~", "#": return before?.isWhitespace ?? true
        default: return false
        }
    }
}
