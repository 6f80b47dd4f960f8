/// Why a run could not be counted.
public enum CountingError: Error, Equatable, CustomStringConvertible {
    /// No engine can count on this machine; what each lacks, as sentences.
    case noEngine([String])
    /// The command is none that this engine can count, as a sentence.
    case cannotCount(String)
    /// What an engine left cannot be used, as a sentence.
    case unreadable(String)
    /// The run's own directory could not be written, as a sentence.
    case cannotWrite(String)

    /// Sentences with a remedy.
    public var description: String {
        switch self {
        case .noEngine(let reasons): reasons.joined(separator: " ")
        case .cannotCount(let sentence), .unreadable(let sentence), .cannotWrite(let sentence): sentence
        }
    }
}
