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
}
