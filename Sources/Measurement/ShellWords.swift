/// Words as a line for a POSIX shell.
public enum ShellWords {
    /// A command line for a shell, words with other characters quoted.
    public static func line(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

    private static func quoted(_ word: String) -> String {
        let plain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "_-./:=+,@%{}".utf8.contains(byte)
                }
            }
        // Control characters would reach the terminal: a line with one is not for copying anyway.
        let safe = PlainText.sanitized(word, maximumCharacters: 4096)
        // A shell expands {a,b} and {1..3}.
        let expands = word.contains("{") && (word.contains(",") || word.contains(".."))
        return plain && !expands ? word : "'" + safe.replacing("'", with: "'\\''") + "'"
    }
}
