internal import LinuxProcess
internal import Measurement

/// Which source a directory holds, as git reports it.
struct GitState: Equatable, Sendable {
    /// The commit's full name.
    var commit: Reading<String>
    /// Whether a file under version control differs from that commit.
    var isDirty: Reading<Bool>

    /// Asks git, for at most ten seconds a question.
    static func read(directory: String) -> GitState {
        let commit = GitCommand.output(of: ["rev-parse", "--verify", "HEAD"], in: directory).map {
            $0[...].trimmed
        }
        // Work trees of submodules are not looked into: git would read their configurations too.
        let changes = GitCommand.output(
            of: ["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty"], in: directory)
        return GitState(commit: commit, isDirty: changes.map { !$0.isEmpty })
    }
}
