internal import LinuxSystem
internal import Measurement

/// Runs a tool's commands: finds the command, parses its line, runs it, and turns what happens into an exit code.
public struct Tool: Sendable {
    /// A command with the code that carries it out.
    public struct Command: Sendable {
        /// The word by which it is called; empty for a tool that is one command.
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

    /// A tool of several commands.
    public init(name: String, summary: String, version: String, commands: [Command]) {
        self.name = name
        self.summary = summary
        self.version = version
        self.commands = commands
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
            Console.note(overview)
            return .usage
        }
        switch word {
        case "help" where arguments.count > 1:
            // As 'git help COMMAND': the same as 'COMMAND --help'.
            return dispatch([arguments[1], "--help"])
        case "--help", "-h", "help":
            Console.print(overview)
            return .success
        case "--version":
            Console.print("\(name) \(version)")
            return .success
        default: break
        }
        guard let command = commands.first(where: { $0.word == word }) else {
            let nearest = NearestName.to(word, among: commands.map(\.word))
            let hint = nearest.map { " Did you mean '\($0)'?" } ?? " '\(name) --help' lists the commands."
            Console.report(
                ToolFailure("There is no command '\(PlainText.sanitized(word))'." + hint, .usage), tool: name)
            return .usage
        }
        return Self.carryOut(command, Array(arguments.dropFirst()))
    }

    /// Carries out one command of a tool that has no others.
    public static func run(_ command: Command, _ arguments: [String]) -> ExitCode {
        checkingOutput(carryOut(command, arguments), tool: command.syntax.name)
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
            + ["", "'\(name) COMMAND --help' tells more about each."] + example).joined(separator: "\n")
    }
}
