internal import JSONDocument
public import LinuxSystem
public import Measurement

/// A stage marked from outside the process that is in it: how a shell script tells where it is.
public struct StageMark: Sendable {
    private let pid: Int32
    private let stage: StageName
    private let episode: EpisodePosition?

    /// A mark for a pipeline's process.
    public init(_ stage: StageName, episode: EpisodePosition? = nil, pid: Int32) {
        self.stage = stage
        self.episode = episode
        self.pid = pid
    }

    /// Replaces a status file by the six plain fields, the start of the run kept from the file before.
    public func write(to statusFile: String, now: Timestamp = SystemClock.now) throws(SystemError) {
        try Files.createDirectories(Files.directory(of: statusFile))
        try Files.replace(statusFile, with: text(startedAt: startedAt(in: statusFile) ?? now, now: now))
    }

    private func text(startedAt: Timestamp, now: Timestamp) -> String {
        var fields = [
            "\"pid\":\(pid)", "\"stage\":\(stage.text.asJSON)",
            "\"started_at\":\(startedAt.secondsSinceEpoch.fixed(6))",
            "\"stage_started_at\":\(now.secondsSinceEpoch.fixed(6))",
        ]
        if let episode {
            fields.append("\"episode_idx\":\(episode.index)")
            if let total = episode.total { fields.append("\"episode_total\":\(total)") }
        }
        return "{\(fields.joined(separator: ","))}\n"
    }

    /// When the run began, by a mark of the same process before.
    private func startedAt(in statusFile: String) -> Timestamp? {
        guard Files.exists(statusFile) else { return nil }
        do {
            let before = try StatusSnapshot.parse(try Files.read(statusFile, limit: 1 << 20))
            return before.pid == pid ? before.startedAt : nil
        } catch {
            // What cannot be read is about to be replaced.
            return nil
        }
    }
}
