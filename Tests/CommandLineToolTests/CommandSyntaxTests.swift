import CommandLineTool
import Testing

@Suite("Command lines")
struct CommandSyntaxTests {
    static let syntax = CommandSyntax(
        name: "tool record", summary: "Records a run.", operands: .command,
        options: [
            .value(
                "version", "V", "the version to record, which becomes the name of every file that is written"),
            .flag("force", "overwrite"),
        ],
        examples: [("tool record --version v1 -- make all", "record one build")])

    @Test("values come after the name or after an equals sign, and the command after two dashes")
    func readsOptions() throws {
        let parsed = try Self.syntax.parse(["--version", "v1", "--force", "--", "make", "--version=x"])
        #expect(parsed.value("version") == "v1")
        #expect(parsed.has("force"))
        #expect(parsed.command == ["make", "--version=x"])
        #expect(try Self.syntax.parse(["--version=v=2", "--", "a"]).value("version") == "v=2")
    }

    @Test(
        "a wrong line gets a sentence",
        arguments: [
            (["--vresion", "v1", "--", "a"], "There is no option '--vresion'. Did you mean '--version'?"),
            (["--version"], "The option '--version' needs a value: --version V."),
            (["--force=yes", "--", "a"], "The option '--force' takes no value."),
            (["make"], "Unexpected 'make'. Put '--' before the command to run."),
            (["--force"], "There is no command to run. Put it after '--'."),
            (["-v", "--", "a"], "There is no option '-v'; options are long, such as '--help'."),
        ])
    func refusesWrongLines(line: [String], sentence: String) {
        #expect(throws: CommandSyntax.UsageError.wrong(sentence)) { try Self.syntax.parse(line) }
    }

    @Test("operands are named when they are missing or too many")
    func checksOperands() throws {
        let syntax = CommandSyntax(
            name: "tool diff", summary: "", operands: .named(["FROM", "TO", "WIDTH"], required: 2),
            examples: [])
        #expect(try syntax.parse(["a", "b"]).operands == ["a", "b"])
        #expect(throws: CommandSyntax.UsageError.wrong("TO is missing.")) { try syntax.parse(["a"]) }
        #expect(throws: CommandSyntax.UsageError.wrong("Unexpected 'd'.")) {
            try syntax.parse(["a", "b", "c", "d"])
        }
    }

    @Test("named operands and a command after dashes, all of them required")
    func operandsThenCommand() throws {
        let syntax = CommandSyntax(
            name: "tool blame", summary: "", operands: .namedThenCommand(["FROM", "TO"]), examples: [])
        let parsed = try syntax.parse(["a", "b", "--", "make", "--now"])
        #expect(parsed.operands == ["a", "b"])
        #expect(parsed.command == ["make", "--now"])
        #expect(throws: CommandSyntax.UsageError.wrong("TO is missing.")) {
            try syntax.parse(["a", "--", "b"])
        }
        #expect(
            throws: CommandSyntax.UsageError.wrong("Unexpected 'c'. Put '--' before the command to run.")
        ) { try syntax.parse(["a", "b", "c"]) }
        #expect(
            throws: CommandSyntax.UsageError.wrong("There is no command to run. Put it after '--'.")
        ) { try syntax.parse(["a", "b"]) }
        #expect(syntax.help.contains("Usage: tool blame FROM TO -- COMMAND..."))
    }

    @Test("a letter stands for its option, and a command may be replaced by an option")
    func lettersAndAlternatives() throws {
        let syntax = CommandSyntax(
            name: "tool watch", summary: "", operands: .commandUnless(options: ["pid"]),
            options: [
                .value("pid", "N", "the process"), .value("output", "FILE", "the file", letter: "o"),
            ], examples: [])
        #expect(try syntax.parse(["-o", "a", "--pid", "3"]).value("output") == "a")
        #expect(try syntax.parse(["--", "make", "-o", "b"]).command == ["make", "-o", "b"])
        #expect(throws: CommandSyntax.UsageError.wrong("Say '--pid', or put a command to run after '--'.")) {
            try syntax.parse(["-o", "a"])
        }
        #expect(throws: CommandSyntax.UsageError.wrong("Give either '--pid' or a command, not both.")) {
            try syntax.parse(["--pid", "3", "--", "make"])
        }
        #expect(throws: CommandSyntax.UsageError.wrong("The option '--output' needs a value: --output FILE."))
        {
            try syntax.parse(["--pid", "3", "-o"])
        }
        #expect(syntax.help.contains("  -o, --output FILE  the file"))
        #expect(syntax.help.contains("Usage: tool watch [options] (--pid N | -- COMMAND...)"))
    }

    @Test("the help has an example and fits 80 columns")
    func helpFits() {
        let help = Self.syntax.help
        #expect(help.contains("Usage: tool record [options] -- COMMAND..."))
        #expect(help.contains("tool record --version v1 -- make all"))
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(throws: CommandSyntax.UsageError.helpRequested) { try Self.syntax.parse(["--help"]) }
    }
}

@Suite("Colour")
struct TerminalStyleTests {
    @Test(
        "follows the environment's wishes in order",
        arguments: [
            (["TERM": "xterm"], true, true),
            (["TERM": "xterm"], false, false),
            (["TERM": "dumb"], true, false),
            ([:], true, false),
            (["TERM": "xterm", "NO_COLOR": "1", "FORCE_COLOR": "1"], true, false),
            (["TERM": "xterm", "NO_COLOR": ""], true, true),
            (["TERM": "dumb", "FORCE_COLOR": "1"], false, true),
            (["TERM": "xterm", "CLICOLOR_FORCE": "0"], false, false),
        ] as [([String: String], Bool, Bool)])
    func decides(environment: [String: String], isTerminal: Bool, usesColor: Bool) {
        let style = TerminalStyle.decide(isTerminal: isTerminal) { environment[$0] }
        #expect(style.usesColor == usesColor)
        #expect((style.red("x") != "x") == usesColor)
    }
}
