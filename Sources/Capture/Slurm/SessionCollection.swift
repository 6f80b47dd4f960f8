public import FrozenProfile
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import MessageDigest
internal import ProfileStore
internal import SlurmEngine

/// The sessions that Slurm has made, ready to be frozen.
///
/// Of every place one session counts. Attempts in which the pipeline failed stay beside, as runs that failed; what Slurm ended
/// is put aside, for a session of another number of runs was not asked for.
struct SessionCollection {
    private let path: String
    private let made: Set<SessionAttempt>

    init(_ path: String, _ board: SessionBoard) {
        self.path = path
        made = Set(
            board.statuses.values.compactMap { status in
                if case .made(let attempt, _) = status { attempt } else { nil }
            })
    }

    /// Freezes them, with the same result as `freeze-profile freeze` of the directory.
    func freeze(
        _ request: SlurmRequest, at place: FreezingPlace, _ directory: borrowing SlurmDirectory,
        note: (String) -> Void
    ) throws(CaptureError) -> Capture.Frozen {
        try setAside(directory, note: note)
        let assembly: ProfileAssembly
        do throws(ProfileError) {
            assembly = try ProfileAssembly(try LoadedRecord.load([path]), release: request.version)
        } catch {
            throw .noInput(error.description)
        }
        return try place.freeze(assembly, writesStageTruth: request.writesStageTruth)
    }

    /// The records of the sessions that count, in order of their places.
    func read(
        _ directory: borrowing SlurmDirectory, note: (String) -> Void
    ) throws(CaptureError) -> [MadeSession] {
        try setAside(directory, note: note)
        var sessions: [MadeSession] = []
        for attempt in made.sorted(by: { $0.slot < $1.slot }) {
            do throws(ProfileError) {
                let records = try LoadedRecord.load(["\(path)/\(attempt.session)"]).map(\.record)
                sessions.append(MadeSession(name: attempt.session, records: records))
            } catch {
                throw .noInput(error.description)
            }
        }
        return sessions
    }

    /// Puts aside what Slurm has ended.
    private func setAside(
        _ directory: borrowing SlurmDirectory, note: (String) -> Void
    ) throws(CaptureError) {
        var aside: [String] = []
        let attempts = try directory.attempts()
        for attempt in attempts where !made.contains(attempt) {
            guard try !hasFailedPipeline(attempt, among: attempts) else { continue }
            try directory.setAside(attempt)
            aside.append(attempt.session)
        }
        if !aside.isEmpty {
            note("not in the profile, and kept in '\(path)/.unfinished': \(aside.joined(separator: ", "))")
        }
    }

    /// Whether an attempt came to nothing because the pipeline failed. One that Slurm started again was ended by Slurm.
    private func hasFailedPipeline(
        _ attempt: SessionAttempt, among attempts: [SessionAttempt]
    ) throws(CaptureError) -> Bool {
        let isRestarted = attempts.contains {
            $0.slot == attempt.slot && $0.round == attempt.round && $0.restart > attempt.restart
        }
        guard !isRestarted else { return false }
        do throws(ProfileError) {
            return try LoadedRecord.load(["\(path)/\(attempt.session)"]).contains {
                // Slurm ends all processes of a task at once, so that the command may be gone before the request reaches us.
                $0.record.run.hasFailed && $0.record.run.failure?.isInterruption != true
                    && $0.record.run.exit.value != Int(ExitStatus.signal(SignalInbox.terminate).shellCode)
            }
        } catch {
            throw .noInput(error.description)
        }
    }
}

/// A session that Slurm has made, with its records.
public struct MadeSession: Sendable {
    /// Its name, such as `s3`.
    public var name: String
    public var records: [RunRecord]
}

extension SlurmRequest {
    /// What makes captures different: the runs of a session, and the command.
    var digest: String {
        SHA256.hexadecimal(of: Array((sessionCommand + ["--"] + pipeline).joined(separator: "\0").utf8))
    }
}
