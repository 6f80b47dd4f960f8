internal import FrozenProfile
internal import LinuxProcess
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import PipelineStatus
internal import StackProfile

/// What is known of a run before it starts: the machine, the source, how to make it again.
struct RunCircumstances {
    let identity: EnvironmentIdentity
    let recipe: Recipe

    init(_ request: RunRequest) {
        var digest = Reading<String>.unavailable(reason: "no configuration was named: --config")
        if let path = request.configurationFile {
            do throws(SystemError) {
                digest = .value(try SHA256.file(path).sha256)
            } catch {
                digest = .unavailable(reason: error.description)
            }
        }
        recipe = Recipe(
            arguments: request.command.map(RecipeText.portable), configurationPath: request.configurationFile,
            configurationSHA256: digest,
            inputSHA256: .unavailable(reason: "the pipeline does not declare its input"), environment: [])
        var identity = EnvironmentProbe.machineIdentity()
        let git = GitState.read(directory: Files.workingDirectory)
        identity[.gitCommit] = git.commit.map(Fact.text)
        identity[.gitDirty] = git.isDirty.map(Fact.bool)
        identity[.configDigest] = digest.map(Fact.text)
        self.identity = identity
    }

    /// A record of a run that is not made yet: what it would be compared by.
    func plannedRecord(_ request: RunRequest) -> RunRecord {
        let notYet = "not run yet"
        return RunRecord(
            toolVersion: request.toolVersion, release: .unavailable(reason: notYet), session: request.session,
            run: Run(
                index: request.index, kind: request.kind, startedAt: nil, exit: .unavailable(reason: notYet),
                use: .unavailable(notYet), stages: []),
            recipe: recipe, program: .unavailable(reason: notYet),
            datasetID: request.datasetID.map { .value($0) } ?? .unavailable(reason: "not given"),
            episodesProcessed: .unavailable(reason: notYet), identity: identity, monitor: nil,
            sampler: .none(reason: notYet), samplerCPUSeconds: .unavailable(reason: notYet))
    }
}

/// Turns a run that has ended into its record, and writes that with the files that belong to it.
struct RecordWriter {
    let request: RunRequest
    let about: RunCircumstances
    let passed: PassedRun
    let observed: ObservedSpan
    let surroundings: RunEnvironment

    /// Writes the run's files, the record last: a record that is there is complete.
    func write(into directory: String) throws(CaptureError) -> RunRecord {
        var record = record()
        do throws(SystemError) {
            if let log = passed.observed?.logFile, Files.exists(log) {
                record.files.append(try copy(log, as: .monitorLog, of: record, into: directory))
            }
            if let stacks = passed.stacks?.profile {
                let labelled = stacks.labelled(run: record.name)
                let bytes = Pprof.write(
                    labelled, start: passed.finished.startedAt, duration: passed.finished.wall)
                record.files.append(try place(bytes, as: .stacks, of: record, into: directory))
            }
            try Files.replace("\(directory)/\(record.stem).json", with: record.encode(), durably: true)
        } catch {
            throw .cannotWrite(error.description)
        }
        return record
    }

    private func copy(
        _ path: String, as kind: CompanionKind, of record: RunRecord, into directory: String
    ) throws(SystemError) -> Companion {
        let name = record.stem + kind.suffix
        try Files.replace("\(directory)/\(name)", durably: true) { (file) throws(SystemError) in
            let source = try FileDescriptor.open(path, .read)
            while true {
                let piece = try source.read(upTo: 1 << 18)
                if piece.isEmpty { break }
                try file.write(piece)
            }
        }
        let (sha256, bytes) = try SHA256.file("\(directory)/\(name)")
        return Companion(kind: kind.rawValue, file: name, sha256: sha256, bytes: bytes)
    }

    private func place(
        _ bytes: [UInt8], as kind: CompanionKind, of record: RunRecord, into directory: String
    ) throws(SystemError) -> Companion {
        let name = record.stem + kind.suffix
        try Files.replace("\(directory)/\(name)", with: bytes, durably: true)
        return Companion(
            kind: kind.rawValue, file: name, sha256: SHA256.hexadecimal(of: bytes), bytes: Int64(bytes.count))
    }

    private func record() -> RunRecord {
        let facts = PipelineFacts.read(StatusLocation(outputDirectory: passed.finished.directory.output))
        let report = passed.observed?.report
        let unwatched = "nobody watched this run"
        var recipe = about.recipe
        if let input = facts.inputDigest { recipe.inputSHA256 = .value(input) }
        var record = RunRecord(
            toolVersion: request.toolVersion,
            release: request.release.map { .value($0.text) } ?? .unavailable(reason: "not given"),
            session: request.session, run: run(facts), recipe: recipe,
            program: passed.finished.executable.map { .value(Files.name(of: $0)) }
                ?? .unavailable(reason: "the run was too short to see it"),
            datasetID: request.datasetID.map { .value($0) }
                ?? .unavailable(reason: "not given: --dataset-id"),
            episodesProcessed: report.map { report in
                report.highestEpisode.map { .value($0) }
                    ?? .unavailable(reason: "the pipeline tells no episodes")
            } ?? .unavailable(reason: unwatched),
            identity: identity(facts), monitor: report.map(RunRecord.Monitor.init),
            sampler: sampler,
            samplerCPUSeconds: passed.stacks?.samplerCPU.map(\.inSeconds)
                ?? .unavailable(reason: "this run was not sampled"))
        record.canaries = request.canaries
        if let report {
            let origin = passed.finished.startedMonotonicNanoseconds
            record.transitions = report.transitions.prefix(StageTruth.maximumTransitions).map { transition in
                StageTruth.Transition(
                    seconds: Duration(nanosecondCount: transition.monotonicNanoseconds - origin).inSeconds,
                    stage: transition.stage, isBegin: transition.isBegin)
            }
            record.transitionsLeftOut =
                report.droppedTransitions + report.transitions.count - record.transitions.count
        }
        record.notes = ((report?.notes ?? []) + (passed.stacks?.notes ?? [])).map { PlainText.sanitized($0) }
        return record
    }

    private func run(_ facts: PipelineFacts) -> Run {
        let finished = passed.finished
        let stages = passed.observed?.report.stages.map { stage in
            StageRun(
                stage: stage.name, entered: .value(stage.entered), workSeconds: stage.work.map(\.inSeconds),
                use: ResourceUse(stage), isShared: stage.isShared, source: stage.source.rawValue,
                peakMethod: stage.peakMethod?.rawValue)
        }
        var run = Run(
            index: request.index, kind: request.kind, startedAt: finished.startedAt.iso8601,
            exit: .value(Int(finished.outcome.status.shellCode)),
            use: ResourceUse(finished, passed.observed?.report), stages: stages ?? [])
        run.observed = observed
        run.surroundings = surroundings
        run.disturbance = NoiseReview.disturbance(of: run)
        run.isRepeated = request.repeatsIfDisturbed && run.disturbance != nil
        run.outputDigest = facts.outputDigest
        if abs(finished.wallClockStep.inSeconds) > 0.1 {
            run.wallClockStepSeconds = finished.wallClockStep.inSeconds
        }
        return run
    }

    private func identity(_ facts: PipelineFacts) -> EnvironmentIdentity {
        func told(_ fact: String?, _ what: String) -> Reading<Fact> {
            fact.map { .value(.text($0)) } ?? .unavailable(reason: "the pipeline does not tell \(what)")
        }
        var identity = about.identity
        identity[.allocator] = passed.allocator
        identity[.pipelineVersion] =
            facts.version.map { .value(.text($0)) }
            ?? request.release.map { .value(.text($0.text)) }
            ?? .unavailable(reason: "the pipeline does not tell its version")
        identity[.buildMode] = told(facts.buildMode, "how it was built")
        identity[.inputDigest] = told(facts.inputDigest, "what it worked on")
        identity[.stageGraph] =
            passed.observed.map { EnvironmentProbe.stageGraph(of: $0.report.stages.map(\.name)) }
            ?? .unavailable(reason: "nobody watched this run")
        return identity
    }

    private var sampler: CaptureQuality.Sampler {
        if let stacks = passed.stacks { return stacks.account }
        // Why no run is profiled at all, where that is so, is told with those that are not.
        return .none(
            reason: request.sampler.recording.unavailableReason ?? "only profiled runs are sampled")
    }
}

extension RunRecord.Monitor {
    fileprivate init(_ report: MonitorReport) {
        self.init(
            cpuSeconds: .value(report.monitorCPU.inSeconds),
            peakResidentMB: report.monitorPeakResident.map(\.mebibytes), ticks: report.ticks,
            logLines: report.log.map { .value($0.lines) } ?? .unavailable(reason: "no log was written"),
            lostLogLines: report.log?.lost ?? 0)
    }
}

extension ResourceUse {
    /// What a stage used, as the monitor saw it.
    init(_ stage: MonitorReport.Stage) {
        self.init(
            wallSeconds: stage.wall.map(\.inSeconds), cpuSeconds: stage.cpu.map(\.inSeconds),
            peakResidentMB: stage.peakResident.map(\.mebibytes), averageCPUPercent: stage.averageCPUPercent)
        add(stage.usage)
    }

    /// The whole run: wall and CPU time by the kernel's account at its end, which includes every waited-for
    /// descendant. The peak is the larger of what that account and the monitor say: `wait4` knows the largest single
    /// process, the monitor also processes that lived at the same time.
    init(_ run: TargetRun.Finished, _ report: MonitorReport?) {
        let wall = run.wall.inSeconds
        let cpu = run.outcome.cpu.inSeconds
        let seen = report?.totals.peakResident.value ?? .zero
        self.init(
            wallSeconds: .value(wall), cpuSeconds: .value(cpu),
            peakResidentMB: .value(max(run.outcome.peakResident, seen).mebibytes),
            averageCPUPercent: wall > 0
                ? .value(cpu / wall * 100) : .unavailable(reason: "the run took no measurable time"))
        if let report { add(report.totals.usage) }
        self[.instructions] = .unavailable(reason: "this version does not read hardware counters")
    }

    /// Adds what the monitor counted besides time and memory.
    private mutating func add(_ usage: MonitorReport.Usage) {
        self[.proportionalResident] = usage.proportionalResident.map(\.mebibytes)
        self[.diskRead] = usage.diskRead.map { Double($0.bytes) }
        self[.diskWritten] = usage.diskWritten.map { Double($0.bytes) }
        self[.majorFaults] = usage.majorFaults.map(Double.init)
        self[.voluntarySwitches] = usage.voluntarySwitches.map(Double.init)
        self[.involuntarySwitches] = usage.involuntarySwitches.map(Double.init)
        self[.runQueueWait] = usage.runQueueWait.map(\.inSeconds)
    }
}

/// Words of a command as they are frozen.
enum RecipeText {
    /// A word with what differs from run to run put back: the address of a feed served for this run only.
    static func portable(_ word: String) -> String {
        guard let feed = CurrentProcess.environmentVariable("LOOPBACK_FEED_URL"), !feed.isEmpty else {
            return word
        }
        return word.replacing(feed, with: "{feed_url}")
    }
}
