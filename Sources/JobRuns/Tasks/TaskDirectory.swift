public import LinuxSystem
public import LiveMonitor
public import Measurement
internal import Stages

/// A task of a run that spans nodes, and what it left.
public struct TaskRecord: Equatable, Sendable {
    public var header: TaskHeader
    /// The account of its monitor; unavailable while it runs, and where it was lost with its node.
    public var report: Reading<MonitorReport>
    /// The stages that it named, as far as its files say without an account.
    public var namedStages: [StageName]
    /// The stage it is in, while it runs.
    public var stage: StageName?

    /// A record.
    public init(
        header: TaskHeader, report: Reading<MonitorReport>, namedStages: [StageName] = [],
        stage: StageName? = nil
    ) {
        self.header = header
        self.report = report
        self.namedStages = namedStages
        self.stage = stage
    }
}

/// The directory that the tasks of a run write to, each into a directory of its own: `docs/formats/job-run.md`.
public enum TaskDirectory {
    /// Says where tasks write; set for the commands of captures.
    public static let variable = "FREEZE_PROFILE_TASKS"
    /// Tasks beyond these are not read, which is reported.
    public static let maximumTasks = 4096
    /// The most bytes of a task's account that are read.
    static let maximumReportBytes = 64 << 20

    private static let headerFile = "task.json"
    /// The account, written by the monitor child when the task has ended.
    public static let reportFile = "report.json"

    /// Where the tasks of a job write by default: below the directory from which the job was submitted.
    public static func standard(job: String, below directory: String) -> String {
        "\(directory)/freeze-profile-tasks/\(job)"
    }

    /// Makes the directory of a task that is about to begin.
    public static func begin(_ header: TaskHeader, in directory: String) throws(SystemError) -> String {
        let name = "\(header.name)-\(header.node)-\(CurrentProcess.pid)".map {
            $0.isLetter || $0.isNumber || "._-".contains($0) ? $0 : "_"
        }
        let path = "\(Files.absolute(directory))/\(String(name))"
        try Files.createDirectories(path)
        try Files.replace("\(path)/\(headerFile)", with: header.encode())
        return path
    }

    /// The tasks of a run in order of their beginning, as far as they are, and sentences about what cannot be read.
    public static func load(_ directory: String) throws(SystemError) -> (tasks: [TaskRecord], notes: [String])
    {
        var tasks: [TaskRecord] = []
        var notes: [String] = []
        let names = try Files.names(inDirectory: directory).sorted()
        for name in names.prefix(maximumTasks) where Files.exists("\(directory)/\(name)/\(headerFile)") {
            let path = "\(directory)/\(name)"
            do throws(Files.ReadError) {
                let bytes = try Files.read("\(path)/\(headerFile)", limit: TaskHeader.maximumBytes)
                guard let header = TaskHeader(bytes) else {
                    notes.append(
                        "'\(PlainText.sanitized(path))/\(headerFile)' is no header of a task; it is left out."
                    )
                    continue
                }
                tasks.append(record(header, path))
            } catch {
                notes.append("A task is left out. \(error)")
            }
        }
        if names.count > maximumTasks {
            notes.append("Only the first \(maximumTasks) of \(names.count) tasks are read.")
        }
        tasks.sort {
            ($0.header.began.epochNanoseconds, $0.header.name) < (
                $1.header.began.epochNanoseconds, $1.header.name
            )
        }
        return (tasks, notes)
    }

    private static func record(_ header: TaskHeader, _ path: String) -> TaskRecord {
        let location = StatusLocation(outputDirectory: path)
        func unfinished(_ reason: String) -> TaskRecord {
            var record = TaskRecord(header: header, report: .unavailable(reason: reason))
            if let trace = StageTrace(location.eventTrace) { record.namedStages = trace.stages }
            do throws(StatusSnapshot.Problem) {
                let status = try StatusSnapshot.read(location.statusFile)
                record.stage = status.stage
                let known = (status.history?.map(\.stage) ?? []) + (status.activeStages ?? [status.stage])
                for stage in known where !record.namedStages.contains(stage) && stage != .done {
                    record.namedStages.append(stage)
                }
            } catch {
                // It has named none yet.
            }
            return record
        }
        let file = "\(path)/\(reportFile)"
        guard Files.exists(file) else { return unfinished("it has left no account") }
        do throws(Files.ReadError) {
            guard let report = MonitorReport.parse(try Files.read(file, limit: maximumReportBytes)) else {
                return unfinished("its account is damaged")
            }
            return TaskRecord(header: header, report: .value(report))
        } catch {
            return unfinished("its account cannot be read: \(error)")
        }
    }
}
