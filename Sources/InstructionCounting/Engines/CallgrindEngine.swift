internal import LinuxProcess
internal import LinuxSystem
public import Measurement

/// Counting by valgrind's callgrind: every process of the tree, by function and stage. It takes several times as long as
/// emulation by QEMU, and sees no system calls.
public struct CallgrindEngine: CountingEngine {
    public static let name = "callgrind"
    /// The file of the library that cuts the counts at the edges of stages, which the package builds.
    public static let markerFile = "libstage-marker.so"

    /// The path of valgrind, and its version.
    let valgrind: String
    let version: String
    /// The path of the library.
    let marker: String

    public var name: String { Self.name }
    /// Valgrind passes the machine's CPU on to the program, which chooses its code by what that can do.
    public var identity: String { "callgrind \(version) on \(CPUModel.name)" }

    /// The engine of this machine, or what it lacks, as a sentence.
    ///
    /// - Parameter marker: Where the library is; nil to look beside this program.
    public static func find(marker: String? = nil) -> Reading<CallgrindEngine> {
        guard let valgrind = Programs.installed("valgrind") else {
            return .unavailable(
                reason: "There is no 'valgrind' in PATH. Install it: sudo apt-get install valgrind.")
        }
        guard let found = marker ?? BesideProgram.path(of: markerFile) else {
            return .unavailable(
                reason: "'\(markerFile)' is not beside '\(CurrentProcess.executable)'. Build it: swift build."
            )
        }
        // `valgrind-3.19.0`
        let text = CommandOutput.of([valgrind, "--version"]).map {
            $0.split(whereSeparator: \.isWhitespace).first
        }
        guard let word = text.value ?? nil, word.hasPrefix("valgrind-") else {
            let reason = text.unavailableReason ?? "it does not print its version"
            return .unavailable(reason: "'\(valgrind)' cannot be used: \(reason).")
        }
        let version = PlainText.sanitized(word.dropFirst("valgrind-".count), maximumCharacters: 32)
        return .value(CallgrindEngine(valgrind: Files.absolute(valgrind), version: version, marker: found))
    }

    public func prepare(
        _ command: [String], environment: [String: String], directory: String
    ) throws(CountingError) -> CountedCommand {
        guard let first = command.first, Programs.path(of: first) != nil else {
            throw .cannotCount(
                "Cannot run '\(PlainText.sanitized(command.first ?? ""))': there is no such program.")
        }
        do throws(SystemError) {
            try CallgrindDirectory(path: directory).prepare()
        } catch {
            throw .cannotWrite(error.description)
        }
        let preloaded = [
            marker, environment["LD_PRELOAD"] ?? CurrentProcess.environmentVariable("LD_PRELOAD"),
        ]
        .compactMap(\.self).filter { !$0.isEmpty }
        var added = environment
        added["LD_PRELOAD"] = preloaded.joined(separator: ":")
        added["FREEZE_PROFILE_COUNTS"] = directory
        added["FREEZE_PROFILE_IMAGE"] = "0"
        // A percent sign stands for itself where it is doubled.
        let place = directory.replacing("%", with: "%%")
        let words = [
            valgrind, "--tool=callgrind", "--dump-line=no", "--demangle=no", "--trace-children=yes",
            "--callgrind-out-file=\(place)/\(CallgrindDirectory.prefix)%p.%q{FREEZE_PROFILE_IMAGE}",
            "--log-file=\(place)/\(CallgrindDirectory.logPrefix)%p", "--",
        ]
        return CountedCommand(command, executedBy: words, added: added)
    }

    public func counts(
        in directory: String, watched: WatchedInstructions
    ) throws(CountingError) -> InstructionCounts {
        try CallgrindDirectory(path: directory).read()
    }

    public func words(in directory: String) -> [String] { CallgrindDirectory(path: directory).lastWords() }
}
