internal import JSONDocument
public import LinuxSystem
public import Measurement

/// A stage marked from outside the process that is in it: what `freeze-profile stage` does for a shell script.
///
/// Each mark enters its stage: the one marked before is over. The marking process names itself in the event trace, so
/// that readers do not count it as a part of the pipeline.
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

    /// Appends to the event trace, then replaces the status file, the start of the run kept from the file before.
    public func write(to location: StatusLocation, now: Timestamp = SystemClock.now) throws(SystemError) {
        let statusFile = location.statusFile
        try Files.createDirectories(Files.directory(of: statusFile))
        let moment = SystemClock.monotonicNanoseconds
        let text = text(startedAt: startedAt(in: statusFile) ?? now, now: now)
        let event = StageEvent(
            .enter, stage, episode: episode, at: moment,
            marker: StageMarker(
                pid: CurrentProcess.pid, cpuNanoseconds: SystemClock.processCPU.inNanoseconds,
                peakKibibytes: Self.peakKibibytes()))
        try EventTrace(path: location.eventTrace).append(event.traceLine(timestamp: now))
        try Files.replace(statusFile, with: text)
    }

    private func text(startedAt: Timestamp, now: Timestamp) -> String {
        var fields = [
            "\"pid\":\(pid)", "\"stage\":\(stage.text.asJSON)",
            "\"started_at\":\(startedAt.secondsSinceEpoch.fixed(6))",
            "\"stage_started_at\":\(now.secondsSinceEpoch.fixed(6))",
            "\"active_stages\":[\(stage == .done ? "" : stage.text.asJSON)]",
        ]
        if let episode {
            fields.append("\"episode_idx\":\(episode.index)")
            if let total = episode.total { fields.append("\"episode_total\":\(total)") }
        }
        return "{\(fields.joined(separator: ","))}\n"
    }

    /// When the run began, by a mark of the same process before.
    private func startedAt(in statusFile: String) -> Timestamp? {
        do {
            let before = try StatusSnapshot.parse(
                try Files.read(statusFile, .named, limit: StatusSnapshot.maximumBytes))
            return before.pid == pid ? before.startedAt : nil
        } catch {
            // What cannot be read is about to be replaced.
            return nil
        }
    }

    /// The most memory that this process has had resident; 0 where the kernel does not say.
    private static func peakKibibytes() -> Int64 {
        do throws(Files.ReadError) {
            let text = String(decoding: try Files.read("/proc/self/status", limit: 1 << 14), as: UTF8.self)
            let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            return line?.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Int64($0) } ?? 0
        } catch {
            return 0
        }
    }
}
