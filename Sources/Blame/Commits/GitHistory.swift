internal import Capture
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// The commits that lead from one to another, one after the other.
public struct CommitLine: Equatable, Sendable {
    /// Full names, the old end first. Where a commit has several parents, its first one that descends from the old end comes
    /// before it, so a merge is one step.
    public let names: [String]

    /// The most commits between two ends.
    public static let maximum = 2000

    /// How many commits lie between the ends, the new end counted.
    public var count: Int { names.count - 1 }

    /// The line in what `git rev-list --ancestry-path --parents FROM..TO` prints; nil when no line leads from one to the other.
    ///
    /// - Parameters:
    ///   - listing: For each commit a line with its name and its parents' names.
    ///   - from: The old end's full name.
    ///   - to: The new end's full name.
    public init?(listing: String, from: String, to: String) {
        var parents: [Substring: [Substring]] = [:]
        for line in listing.split(separator: "\n") {
            let words = line.split(separator: " ")
            if let name = words.first { parents[name] = Array(words.dropFirst()) }
        }
        var line = [to]
        var current = Substring(to)
        while current != from {
            // A commit comes once: git's history has no circles, but a text may have.
            guard let choices = parents.removeValue(forKey: current),
                let next = choices.first(where: { $0 == from || parents[$0] != nil })
            else { return nil }
            line.append(String(next))
            current = next
        }
        names = line.reversed()
    }
}

/// What git records of a commit, without control characters.
public struct CommitDescription: Equatable, Sendable {
    /// Its full name.
    public var name: String
    public var subject: String
    public var author: String
    /// The day it was made by its author: `2026-01-31`.
    public var date: String
    /// How many parents it has; two and more make a merge.
    public var parents: Int

    /// The first twelve characters of its name.
    public var shortName: String { String(name.prefix(12)) }
}

/// Reads the history of a repository.
struct GitHistory {
    /// The top of the work tree, and our working directory below it, empty or with a slash at its end.
    let top: String
    let prefix: String

    init(directory: String) throws(CaptureError) {
        func ask(_ question: String) throws(CaptureError) -> String {
            let answer = GitCommand.output(of: ["rev-parse", question], in: directory)
            switch answer {
            case .value(let text): return text.droppingNewline
            case .unavailable(let reason): throw .noInput("The commits cannot be read: \(reason).")
            }
        }
        top = try ask("--show-toplevel")
        prefix = try ask("--show-prefix")
    }

    /// The full name of the commit that a revision means.
    func commit(_ revision: String) throws(CaptureError) -> String {
        let shown = PlainText.sanitized(revision, maximumCharacters: 100)
        let answer = GitCommand.output(
            of: ["rev-parse", "--verify", "--quiet", "--end-of-options", "\(revision)^{commit}"], in: top,
            refusal: "this repository has no such commit")
        switch answer {
        case .value(let text): return text.droppingNewline
        case .unavailable(let reason):
            throw .noInput("'\(shown)' is neither a frozen version nor a commit: \(reason).")
        }
    }

    /// The commits from one to another.
    func line(from: String, to: String) throws(CaptureError) -> CommitLine {
        guard from != to else {
            throw .wrongUsage("Both versions are of commit \(from.prefix(12)): no commit lies between them.")
        }
        let answer = GitCommand.output(
            of: [
                "rev-list", "--ancestry-path", "--parents", "--max-count=8000", "--end-of-options",
                "\(from)..\(to)",
            ], in: top, within: .seconds(60), refusal: "git cannot list the commits")
        guard let listing = answer.value else {
            throw .noInput("The commits cannot be read: \(answer.unavailableReason ?? "").")
        }
        guard let line = CommitLine(listing: listing, from: from, to: to) else {
            let base = GitCommand.output(of: ["merge-base", from, to], in: top, refusal: "none").value
            let hint =
                base.map { " Their lines part at \($0.prefix(12)): name that as FROM." }
                ?? " They have no commit in common, or more than 8000 commits lie between them."
            throw .wrongUsage("\(from.prefix(12)) is not among the ancestors of \(to.prefix(12)).\(hint)")
        }
        guard line.count <= CommitLine.maximum else {
            throw .wrongUsage(
                "\(line.count) commits lie between \(from.prefix(12)) and \(to.prefix(12)); at most "
                    + "\(CommitLine.maximum) are searched. Name versions closer to each other.")
        }
        return line
    }

    /// What is recorded of a commit.
    func describe(_ name: String) throws(CaptureError) -> CommitDescription {
        let answer = GitCommand.output(
            of: [
                "rev-list", "--no-walk", "--no-commit-header", "--format=%P%n%as%n%an%n%s",
                "--end-of-options", name,
            ], in: top)
        let lines = answer.value?.split(separator: "\n", omittingEmptySubsequences: false) ?? []
        guard lines.count >= 4 else {
            let reason = answer.unavailableReason ?? "git printed \(lines.count) lines of 4"
            throw .noInput("Commit \(name.prefix(12)) cannot be read: \(reason).")
        }
        func field(_ index: Int, _ length: Int) -> String {
            PlainText.sanitized(String(lines[index]), maximumCharacters: length)
        }
        return CommitDescription(
            name: name, subject: field(3, 120), author: field(2, 60), date: field(1, 10),
            parents: lines[0].split(separator: " ").count)
    }
}

extension String {
    fileprivate var droppingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
