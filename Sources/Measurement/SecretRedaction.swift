/// Command lines without their secrets, for what is stored, drawn or printed.
///
/// A value is a secret when its name speaks of one: of an option (`--token X`, `--token=X`), a variable (`TOKEN=x`), a header
/// (`Authorization: x`), a field of a URL's query; and so is the user information of a URL (`http://user:password@host`).
/// What has no such name, an operand for instance, is not recognised.
public struct SecretRedaction: Equatable, Sendable {
    /// What stands in place of a secret.
    public static let mark = "[redacted]"

    /// The words without secrets.
    public private(set) var words: [String] = []
    /// How many values were replaced.
    public private(set) var count = 0
    /// The values, longest first, so that they can be replaced elsewhere too. For use in memory, never to be stored.
    public private(set) var secrets: [String] = []

    /// Redacts a command: its words, and what is inside of them, as in `sh -c 'TOKEN=x program'`.
    public init(_ command: [String]) {
        for word in command { words.append(redacted(word)) }
        // A value of a few characters would be found anywhere.
        secrets = Set(secrets).filter { $0.count >= 6 }.sorted { ($0.count, $0) > ($1.count, $1) }
    }

    /// A text without the secrets of the command: what a program printed of its own arguments.
    public func redacted(text: String) -> String {
        secrets.reduce(text) { $0.replacing($1, with: Self.mark) }
    }

    /// The name of a process or thread without secrets. A program can give itself any name, and the kernel cuts it at 15
    /// bytes: a beginning of a secret at the end of the name is one too.
    public func redacted(name: String) -> String {
        var name = redacted(text: name)
        for secret in secrets {
            for length in stride(from: min(secret.count, name.count), through: 6, by: -1)
            where name.hasSuffix(secret.prefix(length)) {
                name = name.dropLast(length) + Self.mark
                break
            }
        }
        return SecretRedaction([name]).words.first ?? name
    }

    /// Set after a word that is an option whose value is a secret.
    private var expectsSecret = false
    /// Set after an option whose value is a name and a password, such as curl's `--user`.
    private var expectsUser = false

    private mutating func hide(_ value: some StringProtocol) -> String {
        guard !value.isEmpty, value != Self.mark else { return String(value) }
        count += 1
        secrets.append(String(value))
        return Self.mark
    }

    // MARK: - One word

    private mutating func redacted(_ word: String) -> String {
        if expectsSecret {
            expectsSecret = false
            if !word.hasPrefix("-") { return hide(word) }
        }
        if let colon = headerColon(word[...]) {
            return word[...colon] + spaced(word[word.index(after: colon)...])
        }
        if word.hasPrefix("-"), let equals = word.firstIndex(of: "="),
            let colon = headerColon(word[word.index(after: equals)...])
        {
            return word[...colon] + spaced(word[word.index(after: colon)...])
        }
        let result = pieces(of: word).map { piece in
            piece.first?.isWhitespace == true ? String(piece) : redacted(piece: piece)
        }.joined()
        // What ends inside a word belongs to that word.
        if word.contains(where: \.isWhitespace) { (expectsSecret, expectsUser) = (false, false) }
        return result
    }

    /// A header's value, the blanks before it kept.
    private mutating func spaced(_ value: Substring) -> String {
        let blanks = value.prefix { $0 == " " }
        let rest = value.dropFirst(blanks.count)
        let quote = rest.last.map { $0 == "'" || $0 == "\"" } ?? false ? String(rest.suffix(1)) : ""
        return blanks + hide(rest.dropLast(quote.count)) + quote
    }

    /// Runs of blanks, and of what is between them; what stands in quotation marks and is a header stays whole.
    private func pieces(of word: String) -> [Substring] {
        var pieces: [Substring] = []
        var start = word.startIndex
        while start < word.endIndex {
            let isBlank = word[start].isWhitespace
            var end = word[start...].firstIndex { $0.isWhitespace != isBlank } ?? word.endIndex
            let quote = word[start]
            if quote == "'" || quote == "\"", headerColon(word[word.index(after: start)...]) != nil,
                let close = word[word.index(after: start)...].firstIndex(of: quote)
            {
                end = word.index(after: close)
            }
            pieces.append(word[start..<end])
            start = end
        }
        return pieces
    }

    private mutating func redacted(piece: Substring) -> String {
        if expectsSecret {
            expectsSecret = false
            if !piece.hasPrefix("-") { return unquoted(piece) { $0.hide($1) } }
        }
        if expectsUser {
            expectsUser = false
            if !piece.contains("://"), let colon = piece.firstIndex(of: ":") {
                return piece[...colon] + hide(piece[piece.index(after: colon)...])
            }
        }
        return unquoted(piece) { $0.plain($1) }
    }

    /// Applies a function to what stands between quotation marks.
    private mutating func unquoted(_ piece: Substring, _ body: (inout Self, Substring) -> String) -> String {
        let opening = piece.prefix { $0 == "'" || $0 == "\"" }
        let rest = piece.dropFirst(opening.count)
        let closing = rest.reversed().prefix { $0 == "'" || $0 == "\"" }.count
        return opening + body(&self, rest.dropLast(closing)) + rest.suffix(closing)
    }

    private mutating func plain(_ text: Substring) -> String {
        if let colon = headerColon(text) { return text[...colon] + spaced(text[text.index(after: colon)...]) }
        if let equals = text.firstIndex(of: "="), !text[..<equals].contains(where: { "/?&:".contains($0) }) {
            let value = text[text.index(after: equals)...]
            if Self.speaks(text[..<equals]) {
                return text[...equals] + unquoted(value) { $0.hide($1) }
            }
            return text[...equals] + plain(value)
        }
        if text.hasPrefix("-") {
            expectsSecret = Self.speaks(text)
            expectsUser = text == "-u" || text == "--user"
            return String(text)
        }
        return withoutURLSecrets(text)
    }

    /// Where a header's name ends, if the text is a header whose name speaks: `X-Api-Key: x`, `-HAuthorization:x`.
    private func headerColon(_ text: Substring) -> Substring.Index? {
        guard let colon = text.firstIndex(of: ":"), !text[colon...].hasPrefix("://") else { return nil }
        let name = text[..<colon].drop { $0 == "'" || $0 == "\"" || $0 == "-" }
        guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }) else {
            return nil
        }
        let isShortOption = text.hasPrefix("-H") && Self.speaks(name.dropFirst())
        return Self.speaks(name) || isShortOption ? colon : nil
    }

    // MARK: - URLs

    private mutating func withoutURLSecrets(_ text: Substring) -> String {
        guard let scheme = text.range(of: "://") else { return withoutQuerySecrets(text) }
        let rest = text[scheme.upperBound...]
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        guard let at = rest[..<end].lastIndex(of: "@") else { return withoutQuerySecrets(text) }
        return text[..<scheme.upperBound] + hide(rest[..<at]) + withoutQuerySecrets(rest[at...])
    }

    private mutating func withoutQuerySecrets(_ text: Substring) -> String {
        guard let mark = text.firstIndex(of: "?") else { return String(text) }
        let fields = text[text.index(after: mark)...].split(separator: "&", omittingEmptySubsequences: false)
        var shown: [String] = []
        for field in fields {
            if let equals = field.firstIndex(of: "="), Self.speaks(field[..<equals]) {
                shown.append(field[...equals] + hide(field[field.index(after: equals)...]))
            } else {
                shown.append(String(field))
            }
        }
        return text[...mark] + shown.joined(separator: "&")
    }

    // MARK: - Names

    /// Words of a name that say that its value is a secret.
    private static let speaking: Set<String> = [
        "key", "apikey", "token", "secret", "secrets", "password", "passwords", "passwd", "pwd", "passphrase",
        "auth",
        "authorization", "authentication", "credential", "credentials", "bearer", "cookie",
    ]
    /// What a name written in one word ends with.
    private static let speakingEnds = [
        "token", "secret", "password", "passwd", "passphrase", "apikey", "accesskey", "secretkey",
        "privatekey",
        "credential", "credentials",
    ]

    /// Whether a name speaks of a secret: one of its words does. `--max-tokens` and `--author` do not.
    static func speaks(_ name: some StringProtocol) -> Bool {
        var words: [String] = [""]
        var previous: Character = "-"
        for character in name {
            if !character.isLetter && !character.isNumber {
                words.append("")
            } else {
                if character.isUppercase && previous.isLowercase { words.append("") }
                words[words.count - 1] += character.lowercased()
            }
            previous = character
        }
        return words.contains { word in
            speaking.contains(word) || speakingEnds.contains { word.hasSuffix($0) }
        }
    }
}

extension StringProtocol {
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}

/// Paths of a person's home directory as they are stored.
public enum HomePath {
    /// The text with the home directory at the beginning of a path written `~/`: also after `=`, `:` and a quotation mark.
    public static func relative(_ text: String, home: String?) -> String {
        guard let home, home.hasPrefix("/"), home.count > 1 else { return text }
        let prefix = (home.hasSuffix("/") ? String(home.dropLast()) : home) + "/"
        var result = ""
        var rest = text[...]
        while let found = rest.range(of: prefix) {
            let before = rest[..<found.lowerBound]
            let isStart = (before.last ?? result.last).map { "=:'\" ,;<>".contains($0) } ?? true
            result += before + (isStart ? "~/" : prefix)
            rest = rest[found.upperBound...]
        }
        return result + rest
    }

    /// The opposite, for a word that is run: `~/` at its beginning, and after `=`.
    public static func expanded(_ word: String, home: String?) -> String {
        guard let home, home.hasPrefix("/") else { return word }
        if word.hasPrefix("~/") { return home + word.dropFirst() }
        return word.replacing("=~/", with: "=\(home)/")
    }
}
