import CommandLineTool
import TestSupport
import Testing

@Suite("A command in one text")
struct CommandWordsTests {
    @Test("Words are those that a shell makes of them")
    func shell() throws {
        let texts = [
            "./old --input 'a b' {output_dir}", "a\t\"b c\"d  e", "x\\ y '' \"\"", "a'b'\"c\"d",
            "\"a\\\"b\\\\c\\d\"",
            "'a\\b' \\'",
        ]
        for text in texts {
            let theirs = try runCommand(["sh", "-c", "printf '%s\\n' \(text)"])
            #expect(CommandWords.split(text)?.map { $0 + "\n" }.joined() == theirs.standardOutput, "\(text)")
        }
        #expect(CommandWords.split("") == [])
    }

    @Test("A quote that is not closed is refused", arguments: ["'a", "a \"b", "a\\"])
    func refused(text: String) {
        #expect(CommandWords.split(text) == nil)
    }

    /// Each text with the characters that `sh` acts on: `printf '%s\n' TEXT` prints something else than the text's words,
    /// or nothing.
    @Test(
        "Characters are named that a shell would act on, and no others",
        arguments: [
            ("p < in > out", "<>"), ("p | q", "|"), ("p; q & r && s", ";&"), ("p $(x) `y`", "$()`"),
            ("p *.txt a? [ab]", "*?["),
            ("p ~/x #y", "~#"), ("p \"$HOME\"", "$"), ("p '< | $x' \"< | *\"", ""), ("p \\< \\$x", ""),
            ("p {output_dir}/x", ""),
            ("p a$ x#y a~b 5%", ""),
        ])
    func shellCharacters(text: String, expected: String) throws {
        #expect(String(CommandWords.shellCharacters(text)) == expected)
        guard expected.isEmpty, let words = CommandWords.split(text) else { return }
        // A shell makes the same words of a text without them.
        let theirs = try runCommand(["sh", "-c", "printf '%s\\n' \(text)"])
        #expect(words.map { $0 + "\n" }.joined() == theirs.standardOutput)
    }
}
