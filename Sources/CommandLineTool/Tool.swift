internal import LinuxSystem
internal import Measurement

/// Runs a tool's commands: finds the command, parses its line, runs it, and turns what happens into an exit code.
public struct Tool: Sendable {
    /// A command with the code that carries it out.
    public struct Command: Sendable {
        /// The word by which it is called; empty for what the tool does when no word is given.
        public var word: String
        public var syntax: CommandSyntax
        public var run: @Sendable (ParsedArguments) throws(ToolFailure) -> ExitCode

        /// A command.
        public init(
            _ word: String, _ syntax: CommandSyntax,
            run: @escaping @Sendable (ParsedArguments) throws(ToolFailure) -> ExitCode
        ) {
            self.word = word
            self.syntax = syntax
            self.run = run
        }
    }

    /// The tool's name.
    public var name: String
    /// What it is for, in one line.
    public var summary: String
    public var version: String
    public var commands: [Command]
    /// The variables that it reads or sets, for its manual page.
    public var environment: [(name: String, meaning: String)] = []
    /// The names on the disk that complete a word: frozen versions and their stages. A name that cannot be read is left
    /// out without an error, because the user is typing.
    public var names: @Sendable (CompletionQuestion) -> [CompletionAnswer.Candidate] = { _ in [] }

    /// A tool of several commands. ``completionCommand`` is added to them.
    public init(name: String, summary: String, version: String, commands: [Command]) {
        self.name = name
        self.summary = summary
        self.version = version
        self.commands = commands + [Self.completionCommand(name)]
    }

    /// What the tool does when no word is given.
    var wholeCommand: Command? { commands.first { $0.word.isEmpty } }

    /// The names of the manual pages: the tool's own, and one for each command.
    public var manualPages: [String] {
        let own = commands.map { ManualPage.pageName($0.syntax.name) }
        return own.contains(name) ? own : [name] + own
    }

    /// `TOOL completion SHELL`: prints the script by which a shell completes the tool's command lines.
    private static func completionCommand(_ tool: String) -> Command {
        let shells = CompletionScript.Shell.allCases.map(\.rawValue)
        let syntax = CommandSyntax(
            name: "\(tool) completion",
            summary: "Prints a script that completes command lines of \(tool) in a shell.",
            operands: .named(["SHELL"], required: 1),
            examples: [
                ("source <(\(tool) completion bash)", "complete in this bash"),
                ("\(tool) completion fish | source", "complete in this fish"),
            ],
            notes: [
                "SHELL is \(shells.joined(separator: ", ")). An installed package has the scripts in place. Otherwise put the "
                    + "script where the shell looks: ~/.local/share/bash-completion/completions/\(tool), a directory of "
                    + "zsh's fpath under the name _\(tool), or ~/.config/fish/completions/\(tool).fish.",
                "Exit codes: 0 printed, 64 wrong usage.",
            ])
        return Command("completion", syntax) { (arguments) throws(ToolFailure) in
            let name = arguments.operands[0]
            guard let shell = CompletionScript.Shell(rawValue: name) else {
                throw ToolFailure(
                    "There is no completion for '\(PlainText.sanitized(name))'; there is one for "
                        + "\(shells.joined(separator: ", ")).", .usage)
            }
            Console.print(CompletionScript.text(shell, tool: tool))
            return .success
        }
    }

    /// Carries out a command line, the program's own name not included.
    public func run(_ arguments: [String]) -> ExitCode {
        CurrentProcess.ignoreBrokenPipes()
        return Tool.checkingOutput(dispatch(arguments), tool: name)
    }

    /// Data that could not be written makes a failure of what was a success otherwise.
    public static func checkingOutput(_ code: ExitCode, tool: String) -> ExitCode {
        guard let failure = Console.outputFailure else { return code }
        Console.report(failure, tool: tool)
        switch code {
        // These say something of data that has not arrived.
        case .success, .regressed, .inconclusive, .notComparable: return .cannotWrite
        case .failed, .usage, .noInput, .cannotWrite: return code
        }
    }

    private func dispatch(_ arguments: [String]) -> ExitCode {
        guard let word = arguments.first else {
            if let whole = wholeCommand { return carryOut(whole, []) }
            Console.note(overview)
            return .usage
        }
        switch word {
        case "help" where arguments.count > 1:
            // As 'git help COMMAND': the same as 'COMMAND --help'.
            return dispatch([arguments[1], "--help"])
        case "--help", "-h", "help":
            Console.print(wholeCommand?.syntax.help ?? overview)
            return .success
        case "--man":
            return printManual()
        case "complete" where arguments.dropFirst().first == "--":
            // What the shells' scripts ask.
            Console.print(completion(of: Array(arguments.dropFirst(2))).lines.joined(separator: "\n"))
            return .success
        case "--version":
            Console.print("\(name) \(version)")
            return .success
        default: break
        }
        guard let command = commands.first(where: { $0.word == word }) else {
            if let whole = wholeCommand { return carryOut(whole, arguments) }
            let nearest = NearestName.to(word, among: commands.map(\.word))
            let hint = nearest.map { " Did you mean '\($0)'?" } ?? " '\(name) --help' lists the commands."
            Console.report(
                ToolFailure("There is no command '\(PlainText.sanitized(word))'." + hint, .usage), tool: name)
            return .usage
        }
        return carryOut(command, Array(arguments.dropFirst()))
    }

    /// What can stand at the end of a command line.
    ///
    /// - Parameter words: The words after the tool's name; the last one is incomplete, perhaps empty.
    public func completion(of words: [String]) -> CompletionAnswer {
        CommandCompletion(tool: self).answer(words)
    }

    /// `--man` after the tool's name prints its manual page, after a command's that of the command. It is for those who
    /// install the tool, and not in the help.
    private func printManual() -> ExitCode {
        if let whole = wholeCommand { return carryOut(whole, ["--man"]) }
        Console.print(ManualPage(self).text)
        return .success
    }

    private func carryOut(_ command: Command, _ arguments: [String]) -> ExitCode {
        guard arguments == ["--man"] else { return Self.carryOut(command, arguments) }
        Console.print(ManualPage(command.syntax, version: version, related: manualPages).text)
        return .success
    }

    private static func carryOut(_ command: Command, _ arguments: [String]) -> ExitCode {
        let parsed: ParsedArguments
        do throws(CommandSyntax.UsageError) {
            parsed = try command.syntax.parse(arguments)
        } catch {
            switch error {
            case .helpRequested:
                Console.print(command.syntax.help)
                return .success
            case .wrong(let sentence):
                let failure = ToolFailure("\(sentence) See '\(command.syntax.name) --help'.", .usage)
                Console.report(failure, tool: command.syntax.name)
                return .usage
            }
        }
        do throws(ToolFailure) {
            return try command.run(parsed)
        } catch {
            Console.report(error, tool: command.syntax.name)
            return error.exitCode
        }
    }

    private var overview: String {
        let width = (commands.map(\.word.count).max() ?? 0) + 2
        let list = commands.map { "  \($0.word.padded(to: width))\($0.syntax.summary)" }
        let example = commands.first?.syntax.examples.first.map { ["", "Example:", "  \($0.line)"] } ?? []
        return
            ([summary, "", "Usage: \(name) COMMAND [options]", ""] + list
            + ["", "'\(name) COMMAND --help' says more about each."] + example).joined(separator: "\n")
    }
}
