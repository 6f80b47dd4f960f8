internal import StackProfile

/// What a reader of another tool's format gives.
struct ForeignProfile: Sendable {
    /// The stacks.
    var profile: StackProfile
    /// What a person has to know of the reading, a sentence each.
    var notes: [String] = []
    /// The names of what the file counts, in its order.
    var sampleTypes: [String] = []
    /// The place of what was read among them.
    var taken = 0
    /// What the stacks are grouped by unless a person says otherwise, outermost group first.
    var grouping: [GroupingLabel] = []
}

/// Why a file of another tool was not read.
public struct FormatError: Error, Equatable, CustomStringConvertible {
    /// A sentence, or two.
    public let description: String

    init(_ description: String) {
        self.description = description
    }

    /// The file is of a known kind, and damaged.
    static func damaged(_ kind: String, _ what: String) -> FormatError {
        FormatError("It looks like \(kind), but \(what).")
    }

    /// The file has no samples of a type.
    static func noSampleType(_ name: String, known: [String]) -> FormatError {
        FormatError(Pprof.ReadError.noSampleType(name, known: known).description)
    }

    /// Adds a sample, whose weight a reader has taken from a file.
    static func adding(
        _ body: () throws(StackProfileError) -> Void
    ) throws(FormatError) {
        do throws(StackProfileError) {
            try body()
        } catch {
            throw FormatError("A weight cannot be used. \(error)")
        }
    }
}

/// What bounds every reader of another tool's format: a small file must not ask for endless memory.
enum FormatLimits {
    /// The most bytes of a file, inflated.
    static let bytes = 1 << 30
    /// The most frames of a stack.
    static let depth = 4096
    /// The most different stacks, callers included.
    static let stacks = 1 << 24
    /// The most bytes of a name; longer ones are cut.
    static let nameBytes = 1 << 16
    /// The most things of one kind that are reported by name.
    static let names = 64
}
