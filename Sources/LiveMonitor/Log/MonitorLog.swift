internal import LinuxSystem
internal import Measurement

/// The log file. A line that cannot be written is counted; the view goes on.
final class MonitorLog {
    let path: String
    private(set) var lines = 0
    private(set) var bytes: Int64 = 0
    private(set) var lost = 0
    /// The first failure, as a sentence.
    private(set) var problem: String?
    private var file: FileDescriptor?
    private let settled: String
    private let createsDirectory: Bool
    /// Set once the log could not be opened or written: then lines do not wait.
    private var hasFailed = false
    /// Lines that wait for the directory.
    private var waiting: [String] = []

    private static let mostWaiting = 2000

    /// A log that is appended to. A symbolic link in its place is not followed.
    ///
    /// The directory is the pipeline's to create: until it is there, lines wait.
    ///
    /// - Parameter createsDirectory: Whether the directory is made in the end where there is none.
    init(path: String, createsDirectory: Bool) {
        self.path = path
        // Links that lead there now are the user's; one that the pipeline puts on the way is not followed.
        settled = Files.settled(path)
        self.createsDirectory = createsDirectory
        file = nil
    }

    /// What became of it.
    var account: MonitorReport.Log {
        MonitorReport.Log(path: path, lines: lines, bytes: bytes, lost: lost)
    }

    /// Appends a line, in one `write`.
    func append(_ line: String) {
        noticeRemoval()
        if file == nil { open() }
        guard file != nil || hasFailed else {
            if waiting.count < Self.mostWaiting { waiting.append(line) } else { lost += 1 }
            return
        }
        writeWaiting()
        write(line)
    }

    /// Writes what still waits, in a directory created for it when there is none.
    ///
    /// - Parameter isOrphaned: Whether the parent, which wanted the log, is gone. The directory may be gone with it, even
    ///   before the monitor has begun, and is not created again.
    func finish(isOrphaned: Bool) {
        noticeRemoval()
        noticeMove()
        guard !waiting.isEmpty else { return }
        if !isOrphaned, createsDirectory {
            do throws(SystemError) {
                try Files.createDirectories(Files.directory(of: path))
            } catch {
                note(error)
            }
        }
        open()
        writeWaiting()
    }

    /// Begins a log that was removed anew, where its directory still exists.
    private func noticeRemoval() {
        guard file?.isRemoved ?? false else { return }
        if problem == nil {
            problem =
                "The monitor's log '\(path)' is incomplete: it was removed, and with it \(lines) lines. What follows is "
                + "in a new one, if the directory is there again."
        }
        lost += lines
        lines = 0
        bytes = 0
        file = nil
    }

    /// A log that was moved, alone or with its directory, is still written whole. A note says where it is.
    private func noticeMove() {
        guard problem == nil, let (node, place) = whereItIs(), Files.node(settled) != node else { return }
        let shown = place.map { ": it is '\(PlainText.sanitized($0, maximumCharacters: 300))'" } ?? ""
        problem = "The monitor's log is not at '\(path)', because it was moved while it was written\(shown)."
    }

    private func whereItIs() -> (node: Files.Node, path: String?)? {
        switch file {
        case .some(let file): file.node.map { ($0, file.currentPath) }
        case .none: nil
        }
    }

    /// A log that another process has truncated, as a log rotation does after copying it.
    private func noticeCut() {
        guard bytes > 0 else { return }
        do throws(SystemError) {
            guard let size = try file?.size(), size < bytes else { return }
        } catch {
            // What cannot be looked at can still be written.
            return
        }
        if problem == nil {
            problem =
                "The monitor's log '\(path)' is incomplete: it was cut short while it was written, after \(lines) lines."
        }
        lost += lines
        lines = 0
        bytes = 0
    }

    private func writeWaiting() {
        let lines = waiting
        waiting = []
        for line in lines { write(line) }
    }

    private func write(_ line: String) {
        guard file != nil else {
            lost += 1
            return
        }
        noticeCut()
        let text = Array((line + "\n").utf8)
        do throws(SystemError) {
            try file?.write(text)
            lines += 1
            bytes += Int64(text.count)
        } catch {
            lost += 1
            note(error)
        }
    }

    private func open() {
        guard Files.isDirectory(Files.directory(of: path)) else { return }
        do throws(SystemError) {
            file = try Files.openToAppend(settled, links: .none)
        } catch {
            note(error)
        }
    }

    private func note(_ error: SystemError) {
        hasFailed = true
        if problem == nil { problem = "The monitor's log '\(path)' is incomplete. \(error)" }
    }
}
