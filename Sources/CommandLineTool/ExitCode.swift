/// What a run of a tool ends with. The numbers are a contract: scripts and CI jobs branch on them.
public enum ExitCode: Int32, Sendable {
    case success = 0
    /// A comparison found a regression.
    case regressed = 1
    /// A comparison was inconclusive.
    case inconclusive = 2
    /// Two profiles may not be compared.
    case notComparable = 3
    /// The measured command, or the measurement, failed.
    case failed = 4
    /// The command line was wrong (`EX_USAGE`).
    case usage = 64
    /// An input is missing or cannot be read (`EX_NOINPUT`).
    case noInput = 66
    /// An output cannot be written (`EX_CANTCREAT`).
    case cannotWrite = 73
}

/// A failure that ends a tool: sentences for the person, and the exit code for the script.
public struct ToolFailure: Error, Equatable, Sendable {
    /// One or more sentences: what failed, where, why, what to do.
    public var message: String
    public var exitCode: ExitCode

    /// A failure with a message and an exit code.
    public init(_ message: String, _ exitCode: ExitCode) {
        self.message = message
        self.exitCode = exitCode
    }
}
