internal import CommandLineTool
internal import Measurement

/// `--no-redact`, of the commands that store a command line.
enum RedactionOption {
    static let name = "no-redact"
    static let option = CommandSyntax.Option.flag(
        name, "store the command as it is, with values that look like passwords, keys and tokens")

    /// Whether secrets are redacted; says once how many there are.
    static func isOn(_ arguments: ParsedArguments, command: [String]) -> Bool {
        guard !arguments.has(name) else { return false }
        let count = SecretRedaction(command).count
        if count > 0 {
            Console.note(
                "\(count) value\(count == 1 ? "" : "s") of the command look\(count == 1 ? "s" : "") like a secret and "
                    + "\(count == 1 ? "is" : "are") stored as \(SecretRedaction.mark). --no-redact stores "
                    + "\(count == 1 ? "it" : "them").")
        }
        return true
    }
}
