internal import JSONDocument
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import Stages

/// What the monitor child is to do.
public struct MonitorConfiguration: Equatable, Sendable {
    /// When something is done that depends on the terminal.
    public enum Choice: String, Sendable {
        /// As the terminal and the environment suggest.
        case automatic
        case always
        case never
    }

    /// The pipeline's name, for the title and the log's header.
    public var name: String
    /// The status file that the pipeline replaces. It and its directory need not exist yet.
    public var statusFile: String
    /// The log. By default `.monitor.log` beside the status file.
    public var logFile: String
    /// Whether the log is written. `automatic`: when standard error is no terminal, or when the environment variable
    /// `PODCAST_SCRAPER_MONITOR_FILE_LOG` is 1, true, yes or on.
    public var logging = Choice.automatic
    /// Where the report is written when all is over, besides being handed to who started the monitor; nil for nowhere.
    public var reportFile: String?
    /// The time between two ticks.
    public var interval = Duration.milliseconds(500)
    /// Whether the panel is drawn on standard error. `automatic`: when that is a terminal that can.
    public var panel = Choice.automatic
    /// Whether plain progress lines are written to standard error where there is no panel.
    public var writesPlainLines = true
    /// Whether keys are read from standard input while the panel is drawn. `automatic`: when that is a terminal.
    /// What the pipeline itself wants to read there it gets (`MonitoredCommand`).
    public var keys = Choice.automatic
    /// The program that `f` has draw a flamegraph, called as
    /// `PROGRAM flamegraph --pid N --output-dir DIR --status-file FILE`; nil when there is none.
    public var flamegraphProgram: String?
    /// Where its pictures go, into `debug` there; the status file's directory when nil.
    public var flamegraphDirectory: String?
    /// Whether a directory is made for the log and for pictures. Where the pipeline itself, maybe another user's, has
    /// named the place, nothing is made there.
    public var createsDirectories = true
    /// The only user whose status file and event trace are believed; nil for any. Needed where the pipeline itself has
    /// named them: they may be anybody's files.
    public var statusOwner: UInt32?
    /// The time between two plain lines within a stage.
    public var plainInterval = Duration.seconds(10)

    /// Whether the pipeline runs under a heap profiler, which makes it larger and slower: panel and log say so.
    public var isHeapCaptured = HeapCapture.isActive
    /// Read ends of pipes that the monitor prints from, line by line, above its panel.
    var relays: [Int32] = []
    /// Whether the monitor goes on when who started it is gone and the target is not.
    var staysWithTarget = false

    /// The configuration for a pipeline's name and its status file.
    public init(name: String, statusFile: String) {
        self.name = name
        self.statusFile = statusFile
        let directory = statusFile.lastIndex(of: "/").map { String(statusFile[...$0]) } ?? ""
        logFile = directory + ".monitor.log"
    }
}

extension MonitorConfiguration {
    /// The configuration as one JSON object.
    var json: String {
        let fields = [
            "\"name\":\(name.asJSON)", "\"status_file\":\(statusFile.asJSON)",
            "\"log_file\":\(logFile.asJSON)", "\"logging\":\(logging.rawValue.asJSON)",
            "\"report_file\":\(reportFile?.asJSON ?? "null")",
            "\"interval_ns\":\(interval.inNanoseconds)", "\"panel\":\(panel.rawValue.asJSON)",
            "\"keys\":\(keys.rawValue.asJSON)",
            "\"flamegraph_program\":\(flamegraphProgram?.asJSON ?? "null")",
            "\"flamegraph_directory\":\(flamegraphDirectory?.asJSON ?? "null")",
            "\"relays\":[\(relays.map { "\($0)" }.joined(separator: ","))]", "\"stays\":\(staysWithTarget)",
            "\"heap\":\(isHeapCaptured)", "\"plain_lines\":\(writesPlainLines)",
            "\"creates_directories\":\(createsDirectories)",
            "\"status_owner\":\(statusOwner.map { "\($0)" } ?? "null")",
            "\"plain_interval_ns\":\(plainInterval.inNanoseconds)",
        ]
        return "{\(fields.joined(separator: ","))}"
    }

    /// The configuration in a JSON object, nil when something is missing.
    init?(json: JSONValue) {
        guard let fields = json.object, let name = fields["name"]?.string,
            let statusFile = fields["status_file"]?.string, let logFile = fields["log_file"]?.string,
            let logging = fields["logging"]?.string.flatMap({ Choice(rawValue: $0) }),
            let interval = fields["interval_ns"]?.number.flatMap({ Int64(exactly: $0) }),
            let panel = fields["panel"]?.string.flatMap({ Choice(rawValue: $0) }),
            let keys = fields["keys"]?.string.flatMap({ Choice(rawValue: $0) }),
            let plainLines = fields["plain_lines"]?.bool,
            let plainInterval = fields["plain_interval_ns"]?.number.flatMap({ Int64(exactly: $0) })
        else { return nil }
        self.init(name: name, statusFile: statusFile)
        self.logFile = logFile
        self.logging = logging
        reportFile = fields["report_file"]?.string
        // Faster than a hundred ticks a second the observer would be what is observed.
        self.interval = max(.milliseconds(10), Duration(nanosecondCount: interval))
        self.panel = panel
        self.keys = keys
        flamegraphProgram = fields["flamegraph_program"]?.string
        relays = (fields["relays"]?.array ?? []).compactMap { $0.number.flatMap { Int32(exactly: $0) } }
            .filter { $0 > 2 }
        staysWithTarget = fields["stays"]?.bool ?? false
        isHeapCaptured = fields["heap"]?.bool ?? false
        flamegraphDirectory = fields["flamegraph_directory"]?.string
        createsDirectories = fields["creates_directories"]?.bool ?? false
        statusOwner = fields["status_owner"]?.number.flatMap { UInt32(exactly: $0) }
        writesPlainLines = plainLines
        self.plainInterval = max(.milliseconds(10), Duration(nanosecondCount: plainInterval))
    }
}

extension MonitorConfiguration {
    /// Whether the panel will be drawn on this process's standard error.
    ///
    /// A caller that prints to the same terminal then hands its lines to `MonitorSession.say`.
    public var drawsPanel: Bool {
        let terminal = Terminal.standardError
        switch panel {
        case .always: return Terminal.isTerminal(terminal)
        case .never: return false
        case .automatic:
            let type = CurrentProcess.environmentVariable("TERM") ?? ""
            return Terminal.isTerminal(terminal) && !["", "dumb", "unknown"].contains(type)
                && (CurrentProcess.environmentVariable("CI") ?? "").isEmpty
        }
    }

    /// Whether the monitor will read keys from this process's standard input.
    public var readsKeys: Bool {
        keys != .never && drawsPanel && Terminal.isTerminal(Terminal.standardInput)
    }
}

extension MonitorConfiguration {
    /// The program that draws flamegraphs: `freeze-profile` beside this program, or in PATH.
    public static func findFlamegraphProgram() -> String? {
        let name = "freeze-profile"
        do throws(SystemError) {
            let beside = Files.directory(of: try Files.linkTarget("/proc/self/exe")) + "/" + name
            if Files.isExecutable(beside) { return beside }
        } catch {
            // Without /proc there is still PATH.
        }
        return Programs.installed(name)
    }
}
