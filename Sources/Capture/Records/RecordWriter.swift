internal import FlameGraph
internal import FrozenProfile
internal import InstructionCounting
internal import JobRuns
internal import LinuxProcess
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import MessageDigest
internal import StackProfile
internal import StackRecording
internal import Stages

/// What is known of a run before it starts: the machine, the source, how to make it again.
struct RunCircumstances {
    let identity: EnvironmentIdentity
    let recipe: Recipe
    /// What the session began with.
    let loginEnvironment: [Recipe.Variable]

    init(_ request: RunRequest) {
        let digest =
            request.configurationFile.map(Self.digest)
            ?? .unavailable(reason: "no configuration was named: --config")
        let variables = RecipeEnvironment.now(named: request.environmentNames)
        loginEnvironment = variables.login
        var recipe = Recipe(
            arguments: RecipeText.stored(request.command, request),
            configurationPath: request.configurationFile.map {
                HomePath.relative($0, home: RecipeText.home)
            },
            configurationSHA256: digest,
            inputSHA256: .unavailable(reason: "the pipeline does not declare its input"),
            environment: variables.recipe)
        recipe.standardInput = request.standardInput.map {
            Recipe.StandardInput(path: HomePath.relative($0, home: RecipeText.home), sha256: Self.digest($0))
        }
        self.recipe = recipe
        var identity = EnvironmentProbe.machineIdentity()
        let git = GitState.read(directory: request.workingDirectory ?? Files.workingDirectory)
        identity[.gitCommit] = git.commit.map(Fact.text)
        identity[.gitDirty] = git.isDirty.map(Fact.bool)
        identity[.programDigest] = ProgramDigest.of(request.command).map(Fact.text)
        identity[.configDigest] = digest.map(Fact.text)
        self.identity = identity
    }

    private static func digest(_ path: String) -> Reading<String> {
        do throws(SystemError) {
            return .value(try SHA256.file(path).sha256)
        } catch {
            return .unavailable(reason: error.description)
        }
    }

    /// A record of a run that is not made yet: what it would be compared by.
    func plannedRecord(_ request: RunRequest) -> RunRecord {
        let notYet = "not run yet"
        var record = RunRecord(
            toolVersion: request.toolVersion, release: .unavailable(reason: notYet), session: request.session,
            run: Run(
                index: request.index, kind: request.kind, startedAt: nil, exit: .unavailable(reason: notYet),
                use: .unavailable(notYet), stages: []),
            recipe: recipe, program: .unavailable(reason: notYet),
            datasetID: request.datasetID.map { .value($0) } ?? .unavailable(reason: "not given"),
            episodesProcessed: .unavailable(reason: notYet), identity: identity, monitor: nil,
            sampler: .none(reason: notYet), samplerCPUSeconds: .unavailable(reason: notYet))
        record.loginEnvironment = loginEnvironment
        return record
    }
}

/// Turns a run that has ended into its record, and writes that with the files that belong to it.
struct RecordWriter {
    let request: RunRequest
    let about: RunCircumstances
    let passed: PassedRun
    /// The machine when the run began.
    let observed: ObservedEnvironment
    let surroundings: RunEnvironment

    /// Writes the run's files, the record last: a record that is there is complete.
    func write(into directory: String) throws(CaptureError) -> RunRecord {
        var record = record()
        do throws(SystemError) {
            let log = passed.observed.logFile
            if Files.exists(log) {
                let name = record.stem + CompanionKind.monitorLog.suffix
                record.files.append(
                    try copy(log, as: CompanionKind.monitorLog.rawValue, to: name, in: directory))
            }
            if record.run.failure != nil {
                record.files += try copyOutput(of: record, into: directory)
                record.leftOutput = try LeftOutput.keep(passed.finished.directory)
            }
            if let stacks = passed.stacks?.profile {
                let labelled = stacks.labelled(run: record.name)
                let bytes = Pprof.write(
                    labelled, start: passed.finished.startedAt, duration: passed.finished.wall)
                record.files.append(try place(bytes, as: .stacks, of: record, into: directory))
            }
            if let functions = passed.counted?.counts.functions {
                let bytes = Pprof.write(functions.labelled(run: record.name))
                record.files.append(try place(bytes, as: .counts, of: record, into: directory))
            }
            if let stacks = passed.stacks?.pySpy {
                let picture = pySpyPicture(of: stacks)
                record.files.append(try place(picture, as: .pySpyFlamegraph, of: record, into: directory))
            }
            try Files.replace("\(directory)/\(record.stem).json", with: record.encode(), durably: true)
        } catch {
            throw .cannotWrite(error.description)
        }
        return record
    }

    /// What py-spy saw, as a picture: nothing is compared by it.
    private func pySpyPicture(of stacks: StackProfile) -> [UInt8] {
        var options = FlameGraphSVG.Options()
        let program = request.command.first.map(Files.name) ?? ""
        options.title = PlainText.sanitized("\(program) \(request.release?.text ?? "") by py-spy")
        options.subtitle = "time by Python function, as py-spy sampled it beside"
        options.facts.sampler = .value("py-spy")
        options.facts.samples = .value(stacks.totalWeight)
        options.facts.duration = .value(passed.finished.wall)
        return FlameGraphSVG.render(FlameGraphLayout(stacks), options: options)
    }

    /// The most bytes of what a failed run printed that are kept: its last.
    private static let outputLimit: Int64 = 16 << 20
    /// The most bytes of any file that are copied: months of a monitor's log.
    private static let copyLimit = 256 << 20

    /// What a failed run printed.
    private func copyOutput(of record: RunRecord, into directory: String) throws(SystemError) -> [Companion] {
        let place = passed.finished.directory
        var files: [Companion] = []
        for (kind, path) in [
            (RunRecord.OutputFile.standardOutput, place.standardOutput),
            (.standardError, place.standardError),
        ] where try Files.size(path) > 0 {
            let start = max(0, try Files.size(path) - Self.outputLimit)
            files.append(
                try copy(path, from: start, as: kind.rawValue, to: record.stem + kind.suffix, in: directory))
        }
        return files
    }

    private func copy(
        _ path: String, from start: Int64 = 0, as kind: String, to name: String, in directory: String
    ) throws(SystemError) -> Companion {
        try Files.replace("\(directory)/\(name)", durably: true) { (file) throws(SystemError) in
            let source = try Files.open(path, .writtenByPipeline)
            try source.skip(toOffset: start)
            var left = Self.copyLimit
            while left > 0 {
                let piece = try source.read(upTo: min(left, 1 << 18))
                if piece.isEmpty { break }
                try file.write(piece)
                left -= piece.count
            }
        }
        let (sha256, bytes) = try SHA256.file("\(directory)/\(name)")
        return Companion(kind: kind, file: name, sha256: sha256, bytes: bytes)
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
        let facts = PipelineFacts.read(passed.location)
        let report = passed.observed.report
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
            episodesProcessed: report.highestEpisode.map { .value($0) }
                ?? .unavailable(reason: "the pipeline reports no episodes"),
            identity: identity(facts), monitor: RunRecord.Monitor(report, interval: request.monitorInterval),
            sampler: sampler,
            samplerCPUSeconds: passed.stacks?.samplerCPU.map(\.inSeconds)
                ?? .unavailable(reason: "this run was not sampled"))
        record.loginEnvironment = about.loginEnvironment
        record.canaries = request.canaries
        record.nodes = (passed.observed.job?.nodes ?? []).map { RunRecord.Node($0) }
        record.place = SchedulerPlace.current(about.identity)
        record.counts = passed.counted.map {
            FrozenCounts($0, command: RecipeText.stored($0.command, request))
        }
        if record.run.failure != nil { record.openStages = report.lastStages }
        let origin = passed.finished.startedMonotonicNanoseconds
        record.transitions = report.transitions.prefix(StageTruth.maximumTransitions).map { transition in
            StageTruth.Transition(
                seconds: Duration(nanosecondCount: max(0, transition.monotonicNanoseconds - origin))
                    .inSeconds,
                stage: transition.stage, isBegin: transition.isBegin, node: transition.node)
        }
        record.transitionsLeftOut =
            report.droppedTransitions + report.transitions.count - record.transitions.count
        let left = passed.finished.leftBehind.map { [$0.note] } ?? []
        record.notes =
            (report.notes + left + [passed.finished.directory.pipeline.change].compactMap(\.self)
            + (passed.stacks?.notes ?? [])
            + (passed.counted.map { $0.counts.notes + request.countingNotes } ?? []))
            .map { PlainText.sanitized(RecipeText.withoutSecrets($0, request)) }
        return record
    }

    /// A stage without what lies before the run's start or after its end: a status file's time of change comes from the kernel's
    /// clock of ticks, up to one of them behind, and the last change may be read when the run is over. Stages are not to take
    /// longer than the run.
    private func withinRun(_ stage: MonitorReport.Stage) -> MonitorReport.Stage {
        let (start, end) = (
            passed.finished.startedMonotonicNanoseconds, passed.finished.endedMonotonicNanoseconds
        )
        let edges = passed.observed.report.transitions.filter { $0.stage == stage.name }
        var beyond: Int64 = 0
        if let first = edges.first(where: \.isBegin) { beyond += max(0, start - first.monotonicNanoseconds) }
        if let last = edges.last, !last.isBegin {
            let begun = edges.last(where: \.isBegin)?.monotonicNanoseconds ?? start
            beyond += max(0, last.monotonicNanoseconds - max(end, begun))
        }
        guard beyond > 0 else { return stage }
        var stage = stage
        stage.wall = stage.wall.map { max(.zero, $0 - Duration(nanosecondCount: beyond)) }
        stage.work = stage.work.map { max(.zero, $0 - Duration(nanosecondCount: beyond)) }
        return stage
    }

    private func run(_ facts: PipelineFacts) -> Run {
        let finished = passed.finished
        let report = passed.observed.report
        let stages = report.stages.map(withinRun).map { stage in
            var use = ResourceUse(stage)
            var usage = stage.usage
            // Why a machine has none is said once, under the totals.
            for metric in usage.metrics
            where metric.definition.isOptional && report.totals.usage[metric].value == nil {
                usage.remove(metric)
            }
            use.add(usage)
            return StageRun(
                stage: stage.name, entered: .value(stage.entered), workSeconds: stage.work.map(\.inSeconds),
                use: use, isShared: stage.isShared, source: stage.source.rawValue,
                peakMethod: stage.peakMethod?.rawValue)
        }
        var run = Run(
            index: request.index, kind: request.kind, startedAt: finished.startedAt.iso8601,
            exit: .value(Int(finished.outcome.status.shellCode)),
            use: ResourceUse(finished, report, tasks: passed.observed.job?.taskCPU), stages: stages)
        run.failure = finished.failure
        run.observed = observed
        run.surroundings = surroundings
        run.disturbance = NoiseReview.disturbance(of: run)
        run.isRepeated = request.repeatsIfDisturbed && run.disturbance != nil && run.failure == nil
        run.outputDigest = facts.outputDigest
        if abs(finished.wallClockStep.inSeconds) > 0.1 {
            run.wallClockStepSeconds = finished.wallClockStep.inSeconds
        }
        return run
    }

    private func identity(_ facts: PipelineFacts) -> EnvironmentIdentity {
        func reported(_ fact: String?, _ what: String) -> Reading<Fact> {
            fact.map { .value(.text($0)) } ?? .unavailable(reason: "the pipeline does not report \(what)")
        }
        var identity = about.identity
        identity[.allocator] = passed.allocator
        identity[.pipelineVersion] =
            facts.version.map { .value(.text($0)) }
            ?? request.release.map { .value(.text($0.text)) }
            ?? .unavailable(reason: "the pipeline does not report its version")
        identity[.buildMode] = reported(facts.buildMode, "how it was built")
        // What is given to the run on its standard input is its input, unless it declares more.
        let given = about.recipe.standardInput?.sha256.value.map { "sha256:" + $0 }
        identity[.inputDigest] = reported(facts.inputDigest ?? given, "what it worked on")
        identity[.stageGraph] = EnvironmentProbe.stageGraph(of: passed.observed.report.stages.map(\.name))
        return identity
    }

    private var sampler: CaptureQuality.Sampler {
        if let stacks = passed.stacks { return stacks.account }
        // Why no run is profiled at all, where that is so, is reported with those that are not.
        return .none(
            reason: request.sampler.recording.unavailableReason ?? "only profiled runs are sampled")
    }
}

extension RunRecord.Monitor {
    fileprivate init(_ report: MonitorReport, interval: Duration) {
        self.init(
            cpuSeconds: .value(report.monitorCPU.inSeconds),
            peakResidentMB: report.monitorPeakResident.map(\.mebibytes), ticks: report.ticks,
            logLines: report.log.map { .value($0.lines) } ?? .unavailable(reason: "no log was written"),
            lostLogLines: report.log?.lost ?? 0)
        intervalSeconds = .value(interval.inSeconds)
    }
}

extension ResourceUse {
    /// The time and memory of a stage, as the monitor saw them.
    init(_ stage: MonitorReport.Stage) {
        self.init(
            wallSeconds: stage.wall.map(\.inSeconds), cpuSeconds: stage.cpu.map(\.inSeconds),
            peakResidentMB: stage.peakResident.map(\.mebibytes), averageCPUPercent: stage.averageCPUPercent)
    }

    /// The whole run: wall and CPU time by the kernel's account at its end, which includes every waited-for
    /// descendant. The peak is the larger of what that account and the monitor say: `wait4` knows the largest single
    /// process, the monitor also processes that lived at the same time.
    ///
    /// - Parameter tasks: CPU time of tasks on other nodes; nil for a run on this machine.
    init(_ run: TargetRun.Finished, _ report: MonitorReport, tasks: Reading<Duration>?) {
        let wall = run.wall.inSeconds
        let own = run.outcome.cpu.inSeconds
        let cpu = tasks?.map { own + $0.inSeconds } ?? .value(own)
        let seen = report.totals.peakResident.value ?? .zero
        self.init(
            wallSeconds: .value(wall), cpuSeconds: cpu,
            peakResidentMB: .value(max(run.outcome.peakResident, seen).mebibytes),
            averageCPUPercent: wall > 0
                ? cpu.map { $0 / wall * 100 } : .unavailable(reason: "the run took no measurable time"))
        add(report.totals.usage)
    }
}

/// Words of a command as they are frozen.
enum RecipeText {
    /// The home directory, which names a person.
    static var home: String? { CurrentProcess.environmentVariable("HOME") }

    /// A command as it is stored: without secrets, and without what differs from run to run and from person to person.
    static func stored(_ command: [String], _ request: RunRequest) -> [String] {
        let words = request.redactsSecrets ? SecretRedaction(command).words : command
        return words.map { HomePath.relative(portable($0), home: home) }
    }

    /// A text that may repeat words of the command, such as what it printed.
    static func withoutSecrets(_ text: String, _ request: RunRequest) -> String {
        request.redactsSecrets ? SecretRedaction(request.command).redacted(text: text) : text
    }

    /// A word with what differs from run to run put back: the address of a feed served for this run only.
    private static func portable(_ word: String) -> String {
        guard let feed = CurrentProcess.environmentVariable("LOOPBACK_FEED_URL"), !feed.isEmpty else {
            return word
        }
        return word.replacing(feed, with: "{feed_url}")
    }
}
