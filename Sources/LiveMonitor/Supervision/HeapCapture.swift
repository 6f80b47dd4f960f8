internal import LinuxProcess
public import LinuxSystem
internal import Measurement

/// A command run under a heap profiler: memray for Python, heaptrack for everything else.
public struct HeapCapture {
    /// Set for the command, so that a pipeline that starts itself again under the profiler does it once.
    public static let activeVariable = "PODCAST_SCRAPER_MEMRAY_ACTIVE"

    /// Why the heap cannot be captured; reported before anything is started.
    public enum Problem: Error, Equatable, CustomStringConvertible {
        case noMemray(python: String)
        case noHeaptrack
        case cannotWrite(SystemError)

        /// A sentence with a remedy.
        public var description: String {
            switch self {
            case .noMemray(let python):
                "The heap cannot be captured: '\(PlainText.sanitized(python))' has no memray. Install it with "
                    + "'\(PlainText.sanitized(python)) -m pip install memray', or leave --memray out."
            case .noHeaptrack:
                "The heap cannot be captured: the command is no Python, which memray could watch, and heaptrack is not in "
                    + "PATH. Install heaptrack, or leave --memray out."
            case .cannotWrite(let error): "The heap cannot be captured. \(error)"
            }
        }
    }

    /// The command with the profiler before it.
    public let command: [String]
    /// The file the profiler writes; heaptrack adds the ending of its compression.
    public let output: String
    /// The profiler's name.
    public let profiler: String

    /// Whether this process runs under a heap profiler already.
    public static var isActive: Bool { CurrentProcess.isSwitchedOn(activeVariable) }

    /// Prepares a command.
    ///
    /// - Parameters:
    ///   - words: The command.
    ///   - outputDirectory: The file goes to `debug` in it, unless a file is named.
    ///   - file: The file to write.
    public init(_ words: [String], outputDirectory: String, file: String?) throws(Problem) {
        let program = words.first ?? ""
        let stamp = SystemClock.now.iso8601WithoutFraction.filter { $0 != "-" && $0 != ":" }
        if Programs.isPython(program) {
            guard Self.hasMemray(program) else { throw .noMemray(python: program) }
            profiler = "memray"
            output = Files.absolute(file ?? "\(outputDirectory)/debug/memray_\(stamp).bin")
            let split = Self.endOfInterpreterOptions(words)
            command =
                Array(words[..<split]) + ["-m", "memray", "run", "-o", output, "-f"] + Array(words[split...])
        } else {
            guard let heaptrack = Programs.installed("heaptrack") else { throw .noHeaptrack }
            profiler = "heaptrack"
            output = Files.absolute(file ?? "\(outputDirectory)/debug/heaptrack_\(stamp)")
            command = [heaptrack, "-o", output] + words
        }
        do throws(SystemError) {
            let directory = Files.directory(of: output)
            // A named file is where the user wants it; the default place is the pipeline's, which may be another user's.
            if file == nil {
                try Files.createOwnDirectory(directory)
            } else {
                try Files.createDirectories(directory)
            }
        } catch {
            throw .cannotWrite(error)
        }
    }

    /// Where the script, or the `-m` or `-c` that stands for one, begins: what is before it is the interpreter's own.
    static func endOfInterpreterOptions(_ words: [String]) -> Int {
        var index = 1
        while index < words.count, words[index].hasPrefix("-"), !["-m", "-c", "-"].contains(words[index]) {
            index += ["-X", "-W"].contains(words[index]) ? 2 : 1
        }
        return min(index, words.count)
    }

    private static func hasMemray(_ python: String) -> Bool {
        var request = ChildRequest([python, "-c", "import memray"])
        request.standardInput = .null
        request.standardOutput = .null
        request.standardError = .null
        do {
            var child = try ChildProcess.start(request)
            return try child.wait(timeout: .seconds(30))?.status == .code(0)
        } catch {
            // No such Python: it has no memray either.
            return false
        }
    }
}
