internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// A program on a node that answers each line of its input with a line: srun carries both.
public enum NodeQuestions {
    /// One question and its answer.
    public struct Exchange: Equatable, Sendable {
        /// Our CLOCK_MONOTONIC before the question, and after the answer.
        public var asked: Int64
        public var answered: Int64
        public var answer: String
    }

    /// How long the whole may take: a node that is full answers no sooner.
    private static let limit = Duration.seconds(20)
    /// The most bytes of an answer.
    private static let mostBytes = 4096

    /// srun and its arguments for one process on a node.
    ///
    /// - Parameter allocation: The job that has the node, beside whose steps it runs; nil for a job of its own.
    public static func words(node: String, allocation: Int?, program: [String]) -> [String] {
        var words = ["srun", "--quiet", "--nodes=1", "--ntasks=1", "--nodelist=\(node)", "--unbuffered"]
        if let allocation {
            words += ["--jobid=\(allocation)", "--overlap", "--mem=0"]
        } else {
            words += ["--immediate=15", "--job-name=freeze-profile.clock"]
        }
        return words + program
    }

    /// Asks some times, one question after the other's answer.
    public static func ask(
        node: String, allocation: Int?, program: [String], times: Int
    ) throws(SlurmError) -> [Exchange] {
        do {
            return try perform(words(node: node, allocation: allocation, program: program), times)
        } catch let error as SpawnError {
            if case .notFound(let program) = error { throw .noTool(program) }
            throw .cannotCall(error.description)
        } catch let error as SlurmError {
            throw error
        } catch {
            throw .cannotCall("\(error)")
        }
    }

    private static func perform(_ words: [String], _ times: Int) throws -> [Exchange] {
        guard let tool = words.first, let program = Programs.installed(tool) else {
            throw SpawnError.notFound(program: words.first ?? "")
        }
        let questions = try FileDescriptor.pipe()
        let answers = try FileDescriptor.pipe()
        let errors = try FileDescriptor.pipe()
        var request = ChildRequest([program] + words.dropFirst())
        request.standardInput = .descriptor(questions.readEnd.rawValue)
        request.standardOutput = .descriptor(answers.writeEnd.rawValue)
        request.standardError = .descriptor(errors.writeEnd.rawValue)
        request.leadsProcessGroup = true
        request.diesWithParent = true
        request.environment = ["LC_ALL": "C"]
        var child = try ChildProcess.start(request)
        let input = questions.takeWriteEnd()
        let output = answers.takeReadEnd()
        let complaints = errors.takeReadEnd()
        let deadline = SystemClock.monotonicNanoseconds + limit.inNanoseconds
        var exchanges: [Exchange] = []
        for _ in 0..<times {
            let asked = SystemClock.monotonicNanoseconds
            try input.write([UInt8(ascii: "\n")])
            guard let line = try line(of: output, until: deadline) else { break }
            exchanges.append(
                Exchange(asked: asked, answered: SystemClock.monotonicNanoseconds, answer: line))
        }
        // Its input ends, and so does it.
        _ = consume input
        let left = Duration(nanosecondCount: max(0, deadline - SystemClock.monotonicNanoseconds))
        let outcome = try child.wait(timeout: left)
        guard exchanges.isEmpty else { return exchanges }
        guard outcome != nil else {
            throw SlurmError.noAnswer("srun got no answer within \(limit.readable).")
        }
        let said = String(decoding: try complaints.read(upTo: mostBytes), as: UTF8.self)
            .split(whereSeparator: \.isNewline).prefix(3)
            .map { PlainText.sanitized($0, maximumCharacters: 300) }.joined(separator: " / ")
        throw SlurmError.refused(tool: "srun", words: said)
    }

    /// The next line; nil when there is none in time, or the other side ended.
    private static func line(
        of output: borrowing FileDescriptor, until deadline: Int64
    ) throws(SystemError) -> String? {
        var bytes: [UInt8] = []
        while bytes.count < mostBytes {
            let left = Duration(nanosecondCount: deadline - SystemClock.monotonicNanoseconds)
            guard left > .zero,
                try FileDescriptor.waitUntilReadable([output.rawValue], timeout: left)[0]
            else { return nil }
            let piece = try output.read(upTo: mostBytes)
            if piece.isEmpty { return nil }
            bytes += piece
            if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                return String(decoding: bytes[..<end], as: UTF8.self)
            }
        }
        return nil
    }
}
