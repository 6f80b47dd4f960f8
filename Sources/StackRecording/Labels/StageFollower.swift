internal import LinuxSystem
internal import Measurement
internal import PipelineStatus

/// Notes which stage a target's status file names, each time it is replaced: for samples without a monitor beside them.
///
/// A class and not a move-only value, because an optional one passed along as `inout` crashes the optimizer of Swift 6.3.
final class StageFollower {
    /// To be polled; nil where the directory cannot be watched.
    var descriptor: Int32? {
        switch watch {
        case .some(let watch): watch.descriptor
        case .none: nil
        }
    }

    private let location: StatusLocation
    private let watch: DirectoryWatch?
    /// What an earlier run left behind, and this one has not replaced yet.
    private let leftover: StatusSnapshot?
    private var starts: [(stage: StageName, monotonicNanoseconds: Int64)] = []

    /// The most changes kept: a target that flips its stage in a loop must not fill our memory.
    private static let changeLimit = 1_000_000

    /// Follows a status file in a directory that exists.
    ///
    /// - Parameters:
    ///   - statusFile: The file's absolute path.
    ///   - isTargetRunning: Whether what the file says now is the target's own word.
    init(statusFile: String, isTargetRunning: Bool) {
        location = StatusLocation(statusFile: statusFile)
        leftover = isTargetRunning ? nil : Self.snapshot(statusFile)
        do throws(SystemError) {
            watch = try DirectoryWatch(Files.directory(of: statusFile))
        } catch {
            // It is then read whenever the wait for the target's end is over.
            watch = nil
        }
        look()
    }

    /// Reads the status file if it may have changed.
    func look() {
        do throws(SystemError) {
            // What happened is of no interest: the file as it is now counts.
            _ = try watch?.events()
        } catch {
            // Nothing is lost: the file is read all the same.
        }
        guard let snapshot = Self.snapshot(location.statusFile), snapshot != leftover,
            starts.last?.stage != snapshot.stage, starts.count < Self.changeLimit
        else { return }
        starts.append((snapshot.stage, moment(of: snapshot)))
    }

    /// What a status file says; nil when it is not written yet, or not understood: then there is no stage to note.
    private static func snapshot(_ path: String) -> StatusSnapshot? {
        do throws(StatusSnapshot.Problem) {
            return try StatusSnapshot.read(path)
        } catch {
            return nil
        }
    }

    /// The stages so far: from the event trace where the target writes one. Nil when it never named any.
    ///
    /// A status file that was left behind means that the trace beside it may be as well: then what was seen counts.
    func timeline() -> StageTimeline? {
        if leftover == nil, let traced = StageTimeline(trace: location.eventTrace) { return traced }
        return starts.isEmpty ? nil : StageTimeline(successive: starts)
    }

    /// When a stage began by what the target says, where that is possible, else now.
    private func moment(of snapshot: StatusSnapshot) -> Int64 {
        let now = SystemClock.monotonicNanoseconds
        guard let told = snapshot.stageStartedAt else { return now }
        let moment = now - told.duration(to: SystemClock.now).inNanoseconds
        return min(max(moment, starts.last?.monotonicNanoseconds ?? Int64.min), now)
    }
}
