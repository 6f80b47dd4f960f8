internal import LinuxSystem
public import Measurement

/// Questions to git about a work tree, each for at most ten seconds.
public enum GitCommand {
    /// What git prints for a command that changes nothing; unavailable where there is no git or no commit.
    public static func output(of arguments: [String], in directory: String) -> Reading<String> {
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
