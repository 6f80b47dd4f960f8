import CommandLineTool
import Testing

@Suite("What completes a word")
struct CommandCompletionTests {
    /// A tool with an option and an operand of each kind. Versions are those that the question's `profiles` names, so that
    /// the options on the line are seen to arrive.
    private static func tool() -> Tool {
        let draw = CommandSyntax(
            name: "tool draw", summary: "Draws.", operands: .named(["FROM", "STAGE", "IN..."], required: 1),
            options: [
                .value("format", "NAME", "svg or text").among(["svg", "text", "table"]),
                .value("output", "FILE", "where to", letter: "o"), .value("profiles", "DIR", "where from"),
                .value("explain", "STAGE", "also this; repeatable"), .value("owner", "NAME", "who"),
                .value("accept", "STAGE.METRIC", "this one"), .flag("force", "anyway"),
            ], examples: [])
        let run = CommandSyntax(
            name: "tool run", summary: "Runs.", operands: .command, options: [.flag("quiet", "less")],
            examples: [])
        let report = CommandSyntax(
            name: "tool report", summary: "Reports.", operands: .named(["VERSION|FROM..TO"], required: 1),
            examples: [])
        let find = CommandSyntax(
            name: "tool find", summary: "Finds.", operands: .namedThenCommand(["FROM", "TO"]), examples: [])
        var tool = Tool(
            name: "tool", summary: "", version: "1",
            commands: [
                Tool.Command("draw", draw) { _ in .success }, Tool.Command("run", run) { _ in .success },
                Tool.Command("report", report) { _ in .success },
                Tool.Command("find", find) { _ in .success },
            ])
        tool.names = { question in
            let versions = question.options["profiles"] == "old" ? ["v0"] : ["v1", "v2", "w\u{1B}[31m"]
            switch question.value {
            case .version, .versionRange: return versions.map { .init($0) }
            case .stage: return question.operands.map { .init("stage of \($0)") }
            case .stageMetric: return [.init("fetch.wall")]
            default: return [.init("must not be asked")]
            }
        }
        return tool
    }

    private func words(_ line: String...) -> [String]? {
        let answer = Self.tool().completion(of: line)
        return answer.kind == .words ? answer.candidates.map(\.word) : nil
    }

    private func kind(_ line: String...) -> CompletionAnswer.Kind { Self.tool().completion(of: line).kind }

    @Test("Commands, and options that are not on the line yet")
    func commandsAndOptions() {
        #expect(words("") == ["draw", "run", "report", "find", "completion"])
        #expect(words("r") == ["run", "report"])
        #expect(words("--v") == ["--version"])
        #expect(words("help", "d") == ["draw"])
        #expect(words("draw", "--f") == ["--format", "--force"])
        #expect(words("draw", "--force", "--f") == ["--format"])
        #expect(words("draw", "--explain", "a", "--ex") == ["--explain"])
        #expect(words("draw", "-o", "a", "--ou") == [])
        #expect(words("draw", "--help") == ["--help"])
        #expect(words("nothing", "") == [])
        #expect(words("completion", "") == ["bash", "zsh", "fish"])
    }

    @Test("An option's value, after a space and after an equals sign")
    func values() {
        #expect(words("draw", "--format", "t") == ["text", "table"])
        #expect(words("draw", "--format=t") == ["--format=text", "--format=table"])
        #expect(kind("draw", "--output", "") == .files)
        #expect(kind("draw", "-o", "") == .files)
        #expect(kind("draw", "--output=a") == .files)
        #expect(kind("draw", "--profiles", "") == .directories)
        // What only the user knows: no candidates, and no files either.
        #expect(words("draw", "--owner", "") == [])
        #expect(words("draw", "--accept", "fetch") == ["fetch.wall"])
        // The value of one option is not taken for another operand.
        #expect(words("draw", "--owner", "me", "") == ["v1", "v2"])
    }

    @Test("Operands by their names, with what stands on the line")
    func operands() {
        // A name with a control character is not offered: the lines of the answer would not be whole.
        #expect(words("draw", "") == ["v1", "v2"])
        #expect(words("draw", "--profiles", "old", "") == ["v0"])
        #expect(words("draw", "--profiles=old", "") == ["v0"])
        // Instead of a version there may be a path.
        #expect(kind("draw", "./") == .files)
        #expect(words("draw", "v1", "") == ["stage of v1"])
        #expect(kind("draw", "v1", "s", "") == .files)
        #expect(kind("draw", "v1", "s", "a", "b", "") == .files)
        #expect(words("report", "v") == ["v1", "v2"])
        #expect(words("report", "v1..v") == ["v1..v1", "v1..v2"])
        #expect(words("report", "v1", "") == [])
    }

    @Test("After two dashes comes a command of the user's")
    func command() {
        #expect(words("run", "") == ["--quiet", "--help", "--"])
        #expect(kind("run", "--quiet", "--", "") == .command)
        #expect(kind("run", "--", "make", "--fo") == .command)
        #expect(words("find", "v1", "") == ["v1", "v2"])
        #expect(words("find", "v1", "v2", "") == ["--help", "--"])
        #expect(kind("find", "v1", "v2", "--", "") == .command)
    }

    @Test("An answer is the kind, then a word and its meaning on each line")
    func lines() {
        #expect(
            Self.tool().completion(of: ["ru"]).lines == ["words", "run\tRuns."])
        #expect(Self.tool().completion(of: ["draw", "-o", ""]).lines == ["files"])
    }
}
