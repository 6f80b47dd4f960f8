public import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileStore
internal import StackRecording

/// A capture: warm-up, measured and profiled runs, and the profile made of their records.
///
/// Each run's record is on disk when the run is over, so whatever ends a capture, its finished runs are kept and the
/// same command makes only the missing ones. Nothing is written under the version's name before all have succeeded.
public struct Capture {
    /// What was frozen, and where.
    public struct Frozen: Sendable {
        public var profile: FrozenProfile
        /// The YAML file.
        public var profileFile: String
        /// All files that were written, the YAML first.
        public var files: [String]
        /// The session that was made; nil where records of several were frozen.
        public var session: String?
    }

    /// What a capture has to say while it is at work.
    public enum Event: Sendable {
        /// A sentence.
        case note(String)
        /// A run begins: its place among those that are to be made now, and what the runs so far have taken.
        case run(kind: RunKind, number: Int, of: Int, expected: Duration?, left: Duration?)
        /// All runs are made.
        case made
        /// How much of the functions of a run's stacks have their names, from 0 to 1.
        case naming(Double)
    }

    private let request: CaptureRequest
    private let report: (Event) -> Void

    /// A capture of a command.
    ///
    /// - Parameters:
    ///   - request: What to do.
    ///   - report: Called with what is being done.
    public init(_ request: CaptureRequest, report: @escaping (Event) -> Void) {
        self.request = request
        self.report = report
    }

    /// Runs the command as often as needed and freezes what it cost.
    public func run() throws(CaptureError) -> Frozen {
        let place = try FreezingPlace(
            version: request.version, output: request.output,
            overwrites: request.overwrites || request.appends)
        if let configuration = request.configurationFile, !Files.isRegularFile(configuration) {
            throw .noInput("There is no configuration file '\(configuration)'.")
        }
        if let input = request.standardInput, !Files.isRegularFile(input) {
            throw .noInput(
                "There is no file '\(input)' for --input. A pipe cannot be given to each run: save it to a file."
            )
        }
        let frozen = try frozenBefore(place)
        let session = try session(after: frozen)
        let records = try RecordsDirectory(place, session: session, given: request.recordsDirectory)
        if let frozen, !request.appends, try isOf(frozen, records.records()) { try records.discard() }
        try requireSame(records)
        let older = try olderRecords(of: request.appends ? frozen : nil, beside: records)
        do throws(CaptureError) {
            try makeRuns(records, after: older.first { $0.record.run.counts }?.record)
            var result = try freeze(at: place, records, with: older)
            result.session = session.text
            if let frozen, !request.appends { try records.discard(sessions: frozen.sessions.map(\.id)) }
            return result
        } catch {
            throw explain(error, records)
        }
    }

    /// Makes the runs of a session that are missing, and freezes nothing: a later command freezes their records.
    ///
    /// - Parameter directory: Where records are kept, in a directory for each session.
    public func makeSession(in directory: String) throws(CaptureError) {
        if let configuration = request.configurationFile, !Files.isRegularFile(configuration) {
            throw .noInput("There is no configuration file '\(configuration)'.")
        }
        guard let session = request.session else {
            throw .wrongUsage("A session that is not frozen needs a name: --session NAME.")
        }
        let records = try RecordsDirectory(base: directory, session: session)
        try requireSame(records)
        do throws(CaptureError) {
            try makeRuns(records, after: nil)
        } catch {
            throw explain(error, records)
        }
    }

    // MARK: - What is there already

    /// The profile that is replaced or added to; nil when there is none.
    private func frozenBefore(_ place: FreezingPlace) throws(CaptureError) -> FrozenProfile? {
        if place.isStream {
            guard !request.appends else {
                throw .wrongUsage(
                    "--append needs a profile to add to, and the output is a stream. Give --output FILE.yaml."
                )
            }
            return nil
        }
        guard place.store.contains(place.stem) else {
            guard request.appends else { return nil }
            throw .noInput(
                "There is no profile '\(place.profileFile)' to append to. Leave out --append to freeze a first one."
            )
        }
        let profile: FrozenProfile
        do throws(ProfileError) {
            profile = try ProfileStore.load(path: place.profileFile)
        } catch {
            // Whatever cannot be read may still be replaced.
            if request.appends { throw .noInput(error.description) }
            return nil
        }
        if request.appends, profile.promoted != nil {
            throw .wouldOverwrite(
                "'\(place.profileFile)' has been promoted, so nothing is appended to it. "
                    + "Freeze another version.")
        }
        return profile
    }

    private func session(after frozen: FrozenProfile?) throws(CaptureError) -> VersionName {
        let taken = Set(request.appends ? frozen?.sessions.map(\.id) ?? [] : [])
        if let session = request.session {
            guard !taken.contains(session.text) else {
                throw .wouldOverwrite(
                    "The profile has a session \(session) already. Name another: --session NAME.")
            }
            return session
        }
        do throws(ProfileError) {
            var number = 1
            while taken.contains("s\(number)") { number += 1 }
            return try VersionName("s\(number)")
        } catch {
            throw .measurementFailed(error.description)
        }
    }

    /// Whether some records went into a profile, so that what is made now replaces them.
    private func isOf(_ profile: FrozenProfile, _ records: [LoadedRecord]) throws(CaptureError) -> Bool {
        let frozen = Set(profile.sessions.flatMap { session in session.runs.compactMap(\.startedAt) })
        return records.contains { record in record.record.run.startedAt.map(frozen.contains) ?? false }
    }

    // MARK: - Making runs

    /// - Parameter older: A run of an earlier session that is added to; nil where there is none.
    private func makeRuns(
        _ records: borrowing RecordsDirectory, after older: RunRecord?
    ) throws(CaptureError) {
        let there = try records.records().map(\.record)
        var plan = RunPlan(request, finished: there)
        guard !plan.missing.isEmpty else { return }
        if !there.isEmpty {
            report(.note("continuing in '\(records.path)' with \(RunCounts(there).inWords)"))
            removeLeftOutput(of: there)
        }
        let maker = try RunMaker(naming: { report(.naming($0)) })
        var canaries = SessionCanaries(
            repetitions: request.canaryRepetitions, directory: records.path, runs: plan.missing.count)
        if let sentence = canaries.plan { report(.note(sentence)) }
        var ladder = EngineLadder(request, finished: there)
        var last: MadeRun?
        while let kind = plan.missing.first {
            if kind == .profiled, let reason = request.sampler.recording.unavailableReason {
                report(.note("no profiled run: \(reason)"))
                plan.skip(.profiled)
                continue
            }
            if kind == .counted, let reason = ladder.engine.unavailableReason {
                report(.note("no counted run: \(reason)"))
                plan.skip(.counted)
                continue
            }
            report(
                .run(
                    kind: kind, number: plan.made + 1, of: plan.made + plan.missing.count,
                    expected: plan.expected, left: plan.left))
            var run = runRequest(kind, index: plan.nextIndex, session: records.session)
            run.canaries = canaries.beforeRun(kind, made: plan.made, left: plan.left)
            run.repeatsIfDisturbed = kind == .measured && plan.repeatsLeft > 0
            run.countingEngine = ladder.engine
            run.countingNotes = ladder.reasons
            if run.countLimit == nil { run.countLimit = plan.countLimit }
            let made: MadeRun
            do throws(CaptureError) {
                made = try maker.make(run, into: records.path)
            } catch {
                guard kind == .counted, !error.isInterruption else { throw error }
                // What fails under emulation alone says nothing of the other runs.
                report(.note("no counts: " + ladder.fail(error)))
                plan.passOver()
                if ladder.engine.value == nil { plan.skip(.counted) }
                continue
            }
            if kind == .counted { ladder.succeed() }
            if kind == .profiled, made.record.file(.stacks) == nil, let reason = made.record.sampler.reason {
                report(.note("no stacks: \(reason)"))
            }
            if kind == .profiled, request.sampler == .pySpy, made.record.file(.pySpyFlamegraph) == nil,
                PySpy.program == nil
            {
                report(.note("no picture by py-spy: py-spy is not on PATH"))
            }
            if let left = made.leftBehind { report(.note(left)) }
            if made.record.run.isRepeated, let reason = made.record.run.disturbance {
                report(.note("run \(made.record.run.index) is made again: \(reason)"))
            }
            do throws(CaptureError) {
                try requireAlike(made.record, older)
            } catch {
                // What cannot be added is no run of this session.
                try records.discard()
                throw error
            }
            plan.finish(made.record)
            last = made
        }
        if let last { try canaries.afterLastRun(last) }
        report(.made)
    }

    /// What failed runs wrote was kept until now.
    private func removeLeftOutput(of records: [RunRecord]) {
        for path in records.compactMap(\.leftOutput) {
            do throws(SystemError) {
                try LeftOutput.remove(path)
            } catch {
                report(.note("what a failed run wrote stays: \(error)"))
            }
        }
    }

    private func runRequest(
        _ kind: RunKind, index: Int, session: VersionName
    ) -> RunRequest {
        var run = RunRequest(
            request.command, kind: kind, session: session, index: index, toolVersion: request.toolVersion)
        run.release = request.version
        run.datasetID = request.datasetID
        run.configurationFile = request.configurationFile
        run.standardInput = request.standardInput
        run.fixedOutputDirectory = request.fixedOutputDirectory
        run.statusFile = request.statusFile
        run.sampler = request.sampler
        run.sampleRateHertz = request.sampleRateHertz
        run.monitorInterval = request.monitorInterval
        run.showsMonitor = request.showsMonitor
        run.keepsFailures = true
        run.redactsSecrets = request.redactsSecrets
        run.leavesRunning = request.leavesRunning
        run.countCommand = request.countCommand
        run.countLimit = request.countLimit
        run.environmentNames = request.environmentNames
        return run
    }

    /// Refuses to continue runs of something else.
    private func requireSame(_ records: borrowing RecordsDirectory) throws(CaptureError) {
        let finished = try records.records().map(\.record)
        guard let first = finished.first(where: { !$0.run.hasFailed }) else { return }
        let next = runRequest(
            .measured, index: (finished.map(\.run.index).max() ?? 0) + 1, session: records.session)
        let planned = RunCircumstances(next).plannedRecord(next)
        let environment = RunRecord.environmentDifference(first, planned)
        if let difference = RunRecord.difference(first, planned) ?? environment {
            throw .wouldOverwrite(
                "The runs in '\(records.path)' cannot be continued: \(difference). Repeat the command they were "
                    + "made with, name another session with --session NAME, or remove the directory.")
        }
    }

    /// The records of the sessions that one is to be added to, which have to be there, and of the program that is there now.
    private func olderRecords(
        of frozen: FrozenProfile?, beside records: borrowing RecordsDirectory
    ) throws(CaptureError) -> [LoadedRecord] {
        var all: [LoadedRecord] = []
        for session in frozen?.sessions ?? [] {
            let older = try records.records(ofSession: session.id)
            guard
                older.count(where: { !$0.record.run.hasFailed })
                    == session.runs.count(where: { !$0.hasFailed })
            else {
                throw .noInput(
                    "The records of session \(session.id), to which this one is to be added, are not all in "
                        + "'\(Files.directory(of: records.path))'. Say where they are with --records DIR, or freeze a "
                        + "version of its own.")
            }
            all += older
        }
        let run = runRequest(.measured, index: 1, session: records.session)
        let planned = RunCircumstances(run).plannedRecord(run)
        let first = all.first { $0.record.run.counts }?.record
        try requireAlike(planned, first)
        if let first, let difference = RunRecord.environmentDifference(first, planned) {
            throw .wouldOverwrite(
                "This session cannot be added to \(request.version): \(difference). Set the variable as it was, leave it out "
                    + "with env -u NAME, or freeze another version.")
        }
        return all
    }

    /// Refuses a run that is of something else than the sessions it is to be added to. What the pipeline itself declares of its
    /// input is known after its first run, before others are made.
    private func requireAlike(_ run: RunRecord, _ older: RunRecord?) throws(CaptureError) {
        guard let older, !run.run.hasFailed, run.run.kind != .counted,
            let difference = RunRecord.difference(older, run)
        else { return }
        throw .wouldOverwrite(
            "This session cannot be added to \(request.version): \(difference). Freeze another version, or go back to "
                + "what that one was measured with.")
    }

    // MARK: - Freezing

    private func freeze(
        at place: FreezingPlace, _ records: borrowing RecordsDirectory, with older: [LoadedRecord]
    ) throws(CaptureError) -> Frozen {
        let all = try records.records() + older
        let assembly: ProfileAssembly
        do throws(ProfileError) {
            let reason =
                request.countedRuns > 0 ? EngineLadder(request, finished: []).engine.unavailableReason : nil
            assembly = try ProfileAssembly(all, release: request.version, reasonForNoCounts: reason)
        } catch {
            throw .measurementFailed(error.description)
        }
        return try place.freeze(assembly, writesStageTruth: request.writesStageTruth)
    }

    /// The error with what became of the runs that are finished.
    private func explain(_ error: CaptureError, _ records: consuming RecordsDirectory) -> CaptureError {
        let path = records.path
        let there = Result { () throws(CaptureError) in try records.records().map(\.record) }
        guard case .success(let kept) = there, !kept.isEmpty else {
            records.removeIfEmpty()
            return error
        }
        let counts = RunCounts(kept)
        guard counts.finished > 0 else {
            return .incomplete(
                cause: error, kept: "The same command again begins anew:\n  \(request.continuation)")
        }
        return .incomplete(
            cause: error,
            kept:
                "Kept in '\(path)': \(counts.inWords). The same command again makes only the missing ones:\n"
                + "  \(request.continuation)")
    }
}

/// How many runs of a session are finished, how many failed, and how many were interrupted.
struct RunCounts {
    let finished: Int
    let failed: Int
    let interrupted: Int

    init(_ records: [RunRecord]) {
        interrupted = records.count { $0.run.failure?.isInterruption ?? false }
        failed = records.count { $0.run.hasFailed } - interrupted
        finished = records.count - failed - interrupted
    }

    /// `2 finished runs, 1 that failed`.
    var inWords: String {
        var parts = [
            finished == 0 ? "no finished run" : "\(finished) finished \(finished == 1 ? "run" : "runs")"
        ]
        if failed > 0 { parts.append("\(failed) that failed") }
        if interrupted > 0 {
            parts.append("\(interrupted) that \(interrupted == 1 ? "was" : "were") interrupted")
        }
        return parts.joined(separator: ", ")
    }
}
