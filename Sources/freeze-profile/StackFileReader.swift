internal import CommandLineTool
internal import LinuxSystem
internal import Measurement
internal import ProfileFormats
internal import StackProfile

/// Files of stacks that a person names: regular ones, pipes, or standard input as `-`.
enum StackFileReader {
    /// The most bytes that are read of what comes through a pipe.
    private static let pipeLimit = 1 << 30
    /// The most bytes of a file.
    private static let fileLimit = 1 << 32

    /// Reads a file, and says what was left out of it.
    ///
    /// - Parameter sampleType: Which of the things that it counts is read; nil for what its kind says.
    static func read(_ path: String, sampleType: String? = nil) throws(ToolFailure) -> StackInput {
        let name = path == "-" ? "standard input" : "'\(PlainText.sanitized(path))'"
        let input =
            try path == "-" || Files.isPipe(path)
            ? piped(path, name, sampleType) : file(path, name, sampleType)
        report(input, name)
        return input
    }

    private static func file(
        _ path: String, _ name: String, _ sampleType: String?
    ) throws(ToolFailure) -> StackInput {
        guard !Files.exists(path) || Files.isRegularFile(path) else {
            throw ToolFailure("Cannot read \(name): it is no regular file.", .noInput)
        }
        let bytes: [UInt8]
        do throws(Files.ReadError) {
            bytes = try Files.read(path, limit: fileLimit)
        } catch {
            if case .system(let error) = error {
                throw ToolFailure("Cannot read \(name): \(error.reason).", .noInput)
            }
            throw tooLong(name, fileLimit)
        }
        return try parsed(bytes, name, sampleType)
    }

    private static func tooLong(_ name: String, _ limit: Int) -> ToolFailure {
        ToolFailure("Cannot read \(name): it is longer than the \(limit) bytes that are read.", .noInput)
    }

    private static func parsed(
        _ bytes: [UInt8], _ name: String, _ sampleType: String?
    ) throws(ToolFailure) -> StackInput {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(StackInput.ReadError) in try StackInput(buffer, sampleType: sampleType) }
        }
        do throws(StackInput.ReadError) {
            return try result.get()
        } catch {
            throw ToolFailure("Cannot read \(name). \(error)", .noInput)
        }
    }

    /// A pipe is read to its end before anything is made of it: its kind is recognised by its content.
    private static func piped(
        _ path: String, _ name: String, _ sampleType: String?
    ) throws(ToolFailure) -> StackInput {
        guard path != "-" || !Terminal.isTerminal(Terminal.standardInput) else {
            throw ToolFailure(
                "Standard input is a terminal: pipe a profile into it, or name a file.", .usage)
        }
        let bytes: [UInt8]
        do throws(SystemError) {
            let file =
                path == "-"
                ? try FileDescriptor.duplicate(Terminal.standardInput) : try FileDescriptor.open(path, .pipe)
            bytes = try file.readToEnd(limit: pipeLimit + 1)
        } catch {
            throw ToolFailure("Cannot read \(name): \(error.reason).", .noInput)
        }
        guard bytes.count <= pipeLimit else { throw tooLong(name, pipeLimit) }
        return try parsed(bytes, name, sampleType)
    }

    private static func report(_ input: StackInput, _ name: String) {
        if let report = input.report { self.report(report, name) }
        for note in input.notes { Console.note(note) }
        if !input.otherSampleTypes.isEmpty {
            let names = input.otherSampleTypes.map { PlainText.sanitized($0, maximumCharacters: 60) }
            Console.note(
                "\(name.first == "'" ? name : "Standard input") also counts \(names.joined(separator: ", ")): choose with --sample-type."
            )
        }
    }

    private static func report(_ report: FoldedStacks.Report, _ name: String) {
        if report.badLines > 0 {
            Console.note("\(report.badLines) of \(report.lines) lines of \(name) were left out.")
            for line in report.examples.prefix(3) { Console.note("  \(line)") }
            if report.badLines > 3 { Console.note("  and \(report.badLines - 3) more.") }
        }
        if report.cutStacks > 0 {
            Console.note("\(report.cutStacks) stacks were deeper than is read, and end in [truncated].")
        }
        if report.scaleDigits > 0, report.fractionalWeights > 0 {
            Console.note(
                "\(report.fractionalWeights) weights have fractions, so all are counted in units of "
                    + "10^-\(report.scaleDigits).")
        }
    }
}
