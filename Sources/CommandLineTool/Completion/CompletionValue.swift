/// What a word of a command line is, for those who complete it.
public enum CompletionValue: Equatable, Sendable {
    /// One of these.
    case words([String])
    case file
    case directory
    /// A frozen version.
    case version
    /// Two frozen versions, as `FROM..TO`, or one.
    case versionRange
    /// A stage of a frozen version.
    case stage
    /// A metric of such a stage, as `STAGE.METRIC`.
    case stageMetric
    /// A command with its arguments.
    case command
    /// Something that only the user knows.
    case free

    /// What the name of an option's value, or of an operand, stands for in every command.
    ///
    /// - Parameter placeholder: As the help shows it, such as `FILE` or `PROFILE...`.
    init(placeholder: String) {
        let name = placeholder.hasSuffix("...") ? String(placeholder.dropLast(3)) : placeholder
        switch name {
        case "FILE", "IN", "AFTER", "RECORDS": self = .file
        case "DIR", "DIRECTORY": self = .directory
        case "VERSION", "FROM", "TO", "PROFILE", "SOURCE": self = .version
        case "VERSION|FROM..TO": self = .versionRange
        case "STAGE": self = .stage
        case "STAGE.METRIC": self = .stageMetric
        case "SHELL": self = .words(CompletionScript.Shell.allCases.map(\.rawValue))
        default: self = .free
        }
    }
}

/// What can stand at the end of a command line.
public struct CompletionAnswer: Equatable, Sendable {
    /// Who completes the word.
    public enum Kind: String, Sendable {
        /// The candidates are all there is.
        case words
        /// The shell, by its own rules.
        case files, directories, command
    }

    /// A word with what it means.
    public struct Candidate: Equatable, Sendable {
        public var word: String
        public var meaning: String

        public init(_ word: String, _ meaning: String = "") {
            self.word = word
            self.meaning = meaning
        }
    }

    public var kind: Kind
    public var candidates: [Candidate]

    public init(_ kind: Kind, _ candidates: [Candidate] = []) {
        self.kind = kind
        self.candidates = candidates
    }

    /// The answer as shells read it: the kind, then a line for each candidate, word and meaning separated by a tab.
    public var lines: [String] {
        [kind.rawValue] + candidates.map { $0.meaning.isEmpty ? $0.word : "\($0.word)\t\($0.meaning)" }
    }
}

/// What a tool is asked for that no declaration holds: names on the disk.
public struct CompletionQuestion: Equatable, Sendable {
    /// What kind of name.
    public var value: CompletionValue
    /// The values of options that stand on the line already, by name.
    public var options: [String: String]
    /// The operands that stand on the line already.
    public var operands: [String]
}
