internal import CommandLineTool
internal import LinuxSystem
internal import Measurement

/// `--env`: variables of the environment that belong to what is measured.
enum EnvironmentOption {
    static let option = CommandSyntax.Option.value(
        "env", "NAME",
        "record whether the variable NAME is the same, as for those that differ from a login's; repeatable")

    static func names(_ arguments: ParsedArguments) throws(ToolFailure) -> [String] {
        let names = arguments.values["env"] ?? []
        for name in names {
            guard !name.contains("="), name.utf8.count <= 200 else {
                let shown = PlainText.sanitized(name, maximumCharacters: 60)
                throw ToolFailure(
                    "--env takes a name, and '\(shown)' is none. To set a variable: env NAME=VALUE COMMAND.",
                    .usage)
            }
        }
        return names
    }

    /// Refuses `SLOW=1.2 program`, which only a shell understands.
    ///
    /// - Parameter option: The option that the command was given with; nil for a command after `--`.
    static func refuseAssignment(_ words: [String], option: String? = nil) throws(ToolFailure) {
        guard let first = words.first else { return }
        let name = first.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        guard !name.isEmpty, first.dropFirst(name.count).first == "=" else { return }
        let shown = PlainText.sanitized(first)
        let line = PlainText.sanitized(words.joined(separator: " "))
        throw ToolFailure(
            option.map {
                "--\($0) begins with '\(shown)', which a shell would take for a variable, but there is no shell here. "
                    + "Write --\($0) 'env \(line)'."
            }
                ?? "The command begins with '\(shown)', which a shell would take for a variable, but there is no shell here. "
                + "Write -- env \(line)", .usage)
    }
}
