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
            switch try ending(of: words, environment: environment, within: limit) {
            case .ended(.code(0), let text): return .value(text)
            case .ended(let status, _): return .unavailable(reason: "\(name) \(status.description)")
            case .cut: return .unavailable(reason: "\(name) printed more than \(mostBytes) bytes")
            case .tookTooLong: return .unavailable(reason: "\(name) took longer than \(limit.readable)")
            }
        } catch {
            return .unavailable(reason: "\(name) could not be asked: \(error)")
        }
    }

    /// How a command that prints something came to its end.
    enum Ending {
        case ended(ExitStatus, String)
        /// It printed more than is read, and was ended.
        case cut(String)
        /// It was ended.
        case tookTooLong
    }

    /// At most so many bytes are read.
    private static let mostBytes = 1 << 20

    /// Runs a command and reads what it prints to its standard output.
    static func ending(
        of words: [String], environment: [String: String], within limit: Duration
    ) throws -> Ending {
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
        while true {
            // Dropping the child ends it.
            guard bytes.count < mostBytes else { return .cut(String(decoding: bytes, as: UTF8.self)) }
            let left = Duration(nanosecondCount: max(0, deadline - SystemClock.monotonicNanoseconds))
            guard left > .zero else { return .tookTooLong }
            guard try FileDescriptor.waitUntilReadable([output.rawValue], timeout: left)[0] else { continue }
            let piece = try output.read(upTo: 1 << 16)
            if piece.isEmpty { break }
            bytes += piece
        }
        guard let outcome = try child.wait(timeout: limit) else { return .tookTooLong }
        return .ended(outcome.status, String(decoding: bytes, as: UTF8.self))
    }
}
