internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// A call of one of Slurm's tools, and what it said.
struct ToolCall {
    enum Ending: Equatable {
        case exited(Int32)
        case tookTooLong
        case printedTooMuch
    }

    var ending: Ending
    var output: String
    /// What it said to standard error, safe to show.
    var complaint: String

    /// How long a tool may take: a controller that does not answer is asked several times by its tools.
    private static let limit = Duration.seconds(120)
    /// At most so many bytes are read of each stream.
    private static let mostBytes = 64 << 20

    /// Runs a tool to its end.
    static func run(_ words: [String]) throws(SlurmError) -> ToolCall {
        do {
            return try perform(words)
        } catch let error as SpawnError {
            if case .notFound(let program) = error { throw .noTool(program) }
            throw .cannotCall(error.description)
        } catch {
            throw .cannotCall("\(error)")
        }
    }

    private static func perform(_ words: [String]) throws -> ToolCall {
        // Not what lies in the working directory, a stranger's repository maybe.
        guard let tool = words.first, let program = Programs.installed(tool) else {
            throw SpawnError.notFound(program: words.first ?? "")
        }
        let output = try FileDescriptor.pipe()
        let errors = try FileDescriptor.pipe()
        var request = ChildRequest([program] + words.dropFirst())
        request.standardInput = .null
        request.standardOutput = .descriptor(output.writeEnd.rawValue)
        request.standardError = .descriptor(errors.writeEnd.rawValue)
        // Ctrl-C is for us: a call that is under way comes to its end.
        request.leadsProcessGroup = true
        // The words are shown, and matched with nothing: but dates and decimals should not follow the locale.
        request.environment = ["LC_ALL": "C", "SLURM_TIME_FORMAT": "standard"]
        var child = try ChildProcess.start(request)
        let streams = [Drained(output.takeReadEnd()), Drained(errors.takeReadEnd())]
        let deadline = SystemClock.monotonicNanoseconds + limit.inNanoseconds
        while streams.contains(where: { !$0.isAtEnd }) {
            let left = Duration(nanosecondCount: deadline - SystemClock.monotonicNanoseconds)
            // Dropping the child ends it.
            guard left > .zero else { return ToolCall(.tookTooLong, streams) }
            let open = streams.filter { !$0.isAtEnd }
            let ready = try FileDescriptor.waitUntilReadable(open.map(\.descriptor), timeout: left)
            for (stream, isReady) in zip(open, ready) where isReady { try stream.read() }
            guard streams.allSatisfy({ $0.bytes.count <= mostBytes }) else {
                return ToolCall(.printedTooMuch, streams)
            }
        }
        let left = Duration(nanosecondCount: max(0, deadline - SystemClock.monotonicNanoseconds))
        guard let outcome = try child.wait(timeout: left) else { return ToolCall(.tookTooLong, streams) }
        return ToolCall(.exited(outcome.status.shellCode), streams)
    }

    private init(_ ending: Ending, _ streams: [Drained]) {
        self.ending = ending
        output = String(decoding: streams[0].bytes, as: UTF8.self)
        let said = String(decoding: streams[1].bytes.prefix(1 << 16), as: UTF8.self)
        complaint = said.split(whereSeparator: \.isNewline).prefix(6)
            .map { PlainText.sanitized($0, maximumCharacters: 300) }.joined(separator: " / ")
    }

    /// One stream of a tool, read as it comes.
    private final class Drained {
        private let file: FileDescriptor
        private(set) var bytes: [UInt8] = []
        private(set) var isAtEnd = false
        var descriptor: Int32 { file.rawValue }

        init(_ file: consuming FileDescriptor) {
            self.file = file
        }

        func read() throws(SystemError) {
            let piece = try file.read(upTo: 1 << 16)
            isAtEnd = piece.isEmpty
            bytes += piece
        }
    }
}
