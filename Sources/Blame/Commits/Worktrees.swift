internal import Capture
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import StackRecording

/// Work trees of commits, outside of the user's own, removed with this handle.
///
/// Every commit stands at one path while it is built and while it runs: build systems write the path into what they build, and
/// the number of instructions depends on it. The others wait beside it.
struct Worktrees: ~Copyable {
    private let repository: String
    /// The directory of all.
    private let place: String
    /// Removes the directory when we are killed.
    private let guardian: RunGuardian
    private var waiting: Set<String> = []
    /// The commit that stands at ``tree``.
    private var current: String?

    /// Where a commit stands after ``enter(_:)``.
    var tree: String { "\(place)/tree" }

    private static let prefix = "freeze-profile.blame."
    /// The most at a time, counting those of processes that were killed and left theirs.
    private static let maximum = 100

    /// - Parameter repository: The top of the user's work tree.
    init(repository: String) throws(CaptureError) {
        Worktrees.forgetLost(repository)
        let place = try Worktrees.makePlace()
        let guardian = try Worktrees.guardian(of: place)
        self.repository = repository
        self.place = place
        self.guardian = guardian
    }

    private static func guardian(of place: String) throws(CaptureError) -> RunGuardian {
        do throws(StackRecordingError) {
            let guardian = try RunGuardian()
            try guardian.guardWorkspace(place)
            return guardian
        } catch {
            throw .measurementFailed(error.description)
        }
    }

    private static func makePlace() throws(CaptureError) -> String {
        for number in 0..<maximum {
            let path = "\(TemporaryPlace.directory)/\(prefix)\(number.zeroPadded(to: 2))"
            do throws(SystemError) {
                try Files.createPrivateDirectory(path)
                // Git writes paths with links resolved; so do programs that ask where they are.
                return try Files.canonical(path)
            } catch {
                if error.isAlreadyThere { continue }
                throw .cannotWrite(error.description)
            }
        }
        throw .cannotWrite(
            "There are \(maximum) directories '\(TemporaryPlace.directory)/\(prefix)*' already. Remove those that no "
                + "'freeze-profile blame' uses.")
    }

    deinit {
        if let current {
            // Where it cannot be moved it is removed with the directory.
            _ = Result { () throws(SystemError) in try Files.move("\(place)/tree", to: "\(place)/\(current)")
            }
        }
        for commit in waiting {
            _ = Worktrees.removed("\(place)/\(commit)", repository)
        }
        // What is left lies in the temporary directory, and the next search makes git forget it.
        Files.discardTree(place)
    }

    /// Removes what git knows of work trees of ours whose directories are gone: those of processes that were killed.
    private static func forgetLost(_ repository: String) {
        let list = GitCommand.output(of: ["worktree", "list", "--porcelain", "-z"], in: repository)
        for field in list.value?.split(separator: "\0") ?? [] where field.hasPrefix("worktree ") {
            let path = String(field.dropFirst("worktree ".count))
            let directory = Files.directory(of: path)
            guard Files.name(of: directory).hasPrefix(prefix), !Files.exists(directory) else { continue }
            _ = removed(path, repository)
        }
    }

    /// Removes a work tree; git's reason where it does not.
    private static func removed(_ path: String, _ repository: String) -> Reading<String> {
        GitCommand.output(
            of: ["worktree", "remove", "--force", path], in: repository, within: .seconds(600))
    }

    /// Makes the work tree of a commit.
    mutating func add(_ commit: String) throws(CaptureError) {
        let path = "\(place)/\(commit)"
        // Known before it is there, so that half of one is removed too.
        waiting.insert(commit)
        let made = GitCommand.output(
            of: ["worktree", "add", "--quiet", "--detach", path, commit], in: repository,
            within: .seconds(600),
            refusal: "git ended with a failure")
        if let reason = made.unavailableReason {
            throw .cannotWrite("A work tree of \(commit.prefix(12)) cannot be made at '\(path)': \(reason).")
        }
    }

    /// Puts the work tree of a commit in its place; it has to have been added.
    mutating func enter(_ commit: String) throws(CaptureError) {
        guard commit != current else { return }
        do throws(SystemError) {
            if let former = current {
                try Files.move(tree, to: "\(place)/\(former)")
                current = nil
            }
            try Files.move("\(place)/\(commit)", to: tree)
            current = commit
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    /// Removes the work tree of a commit that is of no use.
    mutating func remove(_ commit: String) throws(CaptureError) {
        do throws(SystemError) {
            if current == commit {
                try Files.move(tree, to: "\(place)/\(commit)")
                current = nil
            }
        } catch {
            throw .cannotWrite(error.description)
        }
        if Worktrees.removed("\(place)/\(commit)", repository).value != nil { waiting.remove(commit) }
    }
}
