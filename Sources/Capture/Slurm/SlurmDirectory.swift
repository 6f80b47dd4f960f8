internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import SlurmEngine
internal import StackRecording

/// The directory in which a capture by Slurm keeps its sessions, seen by all nodes. Locked: one capture at a time works there.
///
/// Beside the sessions' directories lie `.slurm`, with what is remembered of the jobs, and `.unfinished`, with what attempts left
/// that made no session.
struct SlurmDirectory: ~Copyable {
    /// The absolute path, with a directory for each session in it.
    let path: String
    private let lock: FileDescriptor

    private var own: String { "\(path)/.slurm" }
    var results: String { "\(own)/results" }
    var logs: String { "\(own)/logs" }
    private var bookFile: String { "\(own)/jobs.json" }
    private var unfinished: String { "\(path)/.unfinished" }

    init(_ given: String) throws(CaptureError) {
        let path = Files.absolute(given)
        let lock: FileDescriptor?
        do throws(SystemError) {
            lock = try SlurmDirectory.prepare(path)
        } catch {
            throw .cannotWrite(error.description)
        }
        guard let lock else {
            throw .wouldOverwrite(
                "Another capture by Slurm is at work in '\(PlainText.sanitized(path))'. Wait for its end, or name another "
                    + "directory: --records DIR.")
        }
        self.path = path
        self.lock = lock
    }

    /// The directory with all that belongs to it, locked; nil when another capture has locked it.
    private static func prepare(_ path: String) throws(SystemError) -> FileDescriptor? {
        try Files.createDirectories(path)
        // The script in it has the whole command, with whatever stands in that.
        if !Files.exists("\(path)/.slurm") { try Files.createPrivateDirectory("\(path)/.slurm") }
        try Files.createOwnDirectory("\(path)/.slurm")
        for name in ["results", "logs"] { try Files.createOwnDirectory("\(path)/.slurm/\(name)") }
        let lock = try FileDescriptor.open("\(path)/.slurm", .directory)
        guard try lock.tryLockExclusively() else { return nil }
        return lock
    }

    // MARK: - What is remembered

    /// The book of the capture that was begun here; nil when none was.
    func book() throws(CaptureError) -> CaptureBook? {
        guard Files.exists(bookFile) else { return nil }
        do throws(Files.ReadError) {
            let bytes = try Files.read(bookFile, limit: CaptureBook.maximumBytes)
            if let book = CaptureBook(bytes) { return book }
        } catch {
            throw .noInput(error.description)
        }
        throw .noInput(
            "'\(PlainText.sanitized(bookFile))' is damaged, so which jobs belong to this capture is not known. Look with "
                + "'squeue --me', cancel those named freeze-profile, and remove the file.")
    }

    func write(_ book: CaptureBook) throws(CaptureError) {
        try attempt { () throws(SystemError) in
            try Files.replace(bookFile, with: book.encode(), durably: true)
        }
    }

    /// Writes the script of a job, and returns its path.
    func writeScript(_ text: String, job: String) throws(CaptureError) -> String {
        let script = "\(own)/\(job).sh"
        try attempt { () throws(SystemError) in
            try Files.replace(script, with: NativeText.bytes(text), durably: true)
        }
        return script
    }

    // MARK: - What tasks left

    /// What tasks wrote about the ends of their sessions, by the sessions' names.
    func taskResults() throws(CaptureError) -> [String: TaskResult] {
        var results: [String: TaskResult] = [:]
        for name in try names(in: self.results) where SessionAttempt(session: name) != nil {
            let path = "\(self.results)/\(name)"
            let bytes: [UInt8]
            do throws(Files.ReadError) {
                bytes = try Files.read(path, limit: TaskResult.maximumBytes)
            } catch {
                throw .noInput(error.description)
            }
            guard let result = TaskResult(bytes) else {
                throw .noInput(
                    "'\(PlainText.sanitized(path))' does not say how its session ended. Remove it, and the session is made again."
                )
            }
            results[name] = result
        }
        return results
    }

    /// The attempts that have a directory with records.
    func attempts() throws(CaptureError) -> [SessionAttempt] {
        try names(in: path).compactMap { SessionAttempt(session: $0) }
            .filter { Files.isDirectory("\(path)/\($0.session)") }
            .sorted { ($0.slot, $0.round, $0.restart) < ($1.slot, $1.round, $1.restart) }
    }

    /// The last lines that a task printed.
    func lastLines(of task: String, count: Int) -> [String] {
        LastLines.read("\(logs)/\(task).log", count: count)
    }

    // MARK: - Tidying

    /// Puts what an attempt left aside: it stays, and is in no profile.
    func setAside(_ attempt: SessionAttempt) throws(CaptureError) {
        try self.attempt { () throws(SystemError) in
            try Files.createDirectories(unfinished)
            var target = "\(unfinished)/\(attempt.session)"
            var number = 2
            while Files.exists(target) {
                target = "\(unfinished)/\(attempt.session)-\(number)"
                number += 1
            }
            try Files.move("\(path)/\(attempt.session)", to: target)
        }
    }

    /// Throws the sessions of a capture away that is over, with all that is remembered of it.
    func discard() throws(CaptureError) {
        let attempts = try attempts()
        let results = try names(in: self.results)
        try attempt { () throws(SystemError) in
            for attempt in attempts { try Files.removeTree("\(path)/\(attempt.session)") }
            for name in results { try Files.remove("\(self.results)/\(name)") }
            if Files.exists(bookFile) { try Files.remove(bookFile) }
        }
    }

    private func names(in directory: String) throws(CaptureError) -> [String] {
        do throws(SystemError) {
            return try Files.names(inDirectory: directory)
        } catch {
            throw .noInput(error.description)
        }
    }

    private func attempt(_ action: () throws(SystemError) -> Void) throws(CaptureError) {
        do throws(SystemError) {
            try action()
        } catch {
            throw .cannotWrite(error.description)
        }
    }
}
