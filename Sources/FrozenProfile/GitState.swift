internal import LinuxProcess
internal import LinuxSystem
public import Measurement

/// Which source a directory holds, as git tells it.
public struct GitState: Equatable, Sendable {
    /// The commit's full name.
    public var commit: Reading<String>
    /// Whether a file under version control differs from that commit.
    public var isDirty: Reading<Bool>

    /// Asks git, for at most ten seconds a question.
    public static func read(directory: String) -> GitState {
        let commit = ask(["rev-parse", "--verify", "HEAD"], in: directory).map { $0[...].trimmed }
        let changes = ask(["status", "--porcelain", "--untracked-files=no"], in: directory)
        return GitState(commit: commit, isDirty: changes.map { !$0.isEmpty })
    }

    static func ask(_ arguments: [String], in directory: String) -> Reading<String> {
        guard Programs.path(of: "git") != nil else { return .unavailable(reason: "git is not installed") }
        do {
            let pipe = try FileDescriptor.pipe()
            var request = ChildRequest(["git", "-C", directory] + arguments)
            // Asking for the state must not take a lock that somebody's commit needs.
            request.environment = ["GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"]
            request.standardInput = .null
            request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
            request.standardError = .null
            var child = try ChildProcess.start(request)
            let output = pipe.takeReadEnd()
            let deadline = SystemClock.monotonicNanoseconds + 10_000_000_000
            var bytes: [UInt8] = []
            while bytes.count < 1 << 20 {
                let left = Duration(nanosecondCount: max(0, deadline - SystemClock.monotonicNanoseconds))
                guard left > .zero else { return .unavailable(reason: "git took longer than ten seconds") }
                guard try FileDescriptor.waitUntilReadable([output.rawValue], timeout: left)[0] else {
                    continue
                }
                let piece = try output.read(upTo: 1 << 16)
                if piece.isEmpty { break }
                bytes += piece
            }
            // More than a mebibyte of changes is a dirty tree all the same; dropping the child ends it.
            guard bytes.count < 1 << 20 else { return .value(String(decoding: bytes, as: UTF8.self)) }
            guard let outcome = try child.wait(timeout: .seconds(10)) else {
                return .unavailable(reason: "git took longer than ten seconds")
            }
            guard outcome.status == .code(0) else {
                return .unavailable(
                    reason: "'\(PlainText.sanitized(directory))' is no git work tree with a commit")
            }
            return .value(String(decoding: bytes, as: UTF8.self))
        } catch {
            return .unavailable(reason: "git could not be asked: \(error)")
        }
    }
}
