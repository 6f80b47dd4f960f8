internal import LinuxSystem

/// Whether text may carry colour, decided once for a stream.
///
/// In order: `NO_COLOR` (not empty) forbids; `FORCE_COLOR` or `CLICOLOR_FORCE` (not empty, not `0`) demands; a missing
/// or `dumb` TERM forbids; else colour goes to terminals only.
public struct TerminalStyle: Equatable, Sendable {
    public var usesColor: Bool

    /// A style with or without colour.
    public init(usesColor: Bool) {
        self.usesColor = usesColor
    }

    /// The style for a descriptor, by the process's environment.
    public static func forDescriptor(_ descriptor: Int32) -> TerminalStyle {
        decide(isTerminal: Terminal.isTerminal(descriptor), variable: CurrentProcess.environmentVariable)
    }

    /// The style for a stream, by the variables of an environment.
    public static func decide(isTerminal: Bool, variable: (String) -> String?) -> TerminalStyle {
        func isSet(_ name: String) -> Bool { !(variable(name) ?? "").isEmpty }
        if isSet("NO_COLOR") { return TerminalStyle(usesColor: false) }
        if ["FORCE_COLOR", "CLICOLOR_FORCE"].contains(where: { isSet($0) && variable($0) != "0" }) {
            return TerminalStyle(usesColor: true)
        }
        guard let term = variable("TERM"), !term.isEmpty, term != "dumb" else {
            return TerminalStyle(usesColor: false)
        }
        return TerminalStyle(usesColor: isTerminal)
    }

    /// Text that stands out.
    public func bold(_ text: String) -> String { wrap(text, "1") }
    /// Text that stands back.
    public func dim(_ text: String) -> String { wrap(text, "2") }
    /// Text of a failure.
    public func red(_ text: String) -> String { wrap(text, "31") }

    private func wrap(_ text: String, _ code: String) -> String {
        usesColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
