internal import LinuxSystem
public import Measurement

/// What a short command prints.
public enum CommandOutput {
    /// The text that a command prints to its standard output before it ends well, or why there is none.
    ///
    /// - Parameters:
    ///   - words: The program and its arguments. It reads nothing, and its standard error is not looked at.
    ///   - limit: How long it may take; then it is ended.
    public static func of(
        _ words: [String], environment: [String: String] = [:], within limit: Duration = .seconds(10)
    ) -> Reading<String> {
        let name = PlainText.sanitized(Files.name(of: words.first ?? ""))
        guard let program = words.first, Programs.path(of: program) != nil else {
            return .unavailable(reason: "\(name) is not installed")
        }
        do {
            let pipe = try FileDescriptor.pipe()
            var request = ChildRequest(words)
            request.environment = environment
            request.standardInput = .null
            request.standardOutput = .descriptor(pipe.writeEnd.rawValue)
            request.standardError = .null
            var child = try ChildProcess.start(request)
            let output = pipe.takeReadEnd()
            let deadline = SystemClock.monotonicNanoseconds + limit.inNanoseconds
            var bytes: [UInt8] = []
            while bytes.count < 1 << 20 {
                let left = Duration(nanosecondCount: max(0, deadline - SystemClock.monotonicNanoseconds))
                guard left > .zero else {
                    return .unavailable(reason: "\(name) took longer than \(limit.readable)")
                }
                guard try FileDescriptor.waitUntilReadable([output.rawValue], timeout: left)[0] else {
                    continue
                }
                let piece = try output.read(upTo: 1 << 16)
                if piece.isEmpty { break }
                bytes += piece
            }
            guard let outcome = try child.wait(timeout: limit) else {
                return .unavailable(reason: "\(name) took longer than \(limit.readable)")
            }
            guard outcome.status == .code(0) else {
                return .unavailable(reason: "\(name) \(outcome.status.description)")
            }
            return .value(String(decoding: bytes, as: UTF8.self))
        } catch {
            return .unavailable(reason: "\(name) could not be asked: \(error)")
        }
    }
}
