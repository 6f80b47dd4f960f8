internal import FlameGraph
internal import FrozenProfile
internal import LinuxProcess
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import PipelineStatus
internal import StackProfile

/// Everything a capture has found out, and the artefacts made of it.
struct ProfileAssembly {
    let request: CaptureRequest
    let startedAt: Timestamp
    let observedBefore: ObservedEnvironment
    let runs: [CapturedRun]
    let measured: RunObservation.Observed
    let stacks: TakenStacks

    /// The profile, without its companions.
    func profile() -> FrozenProfile {
        let session = Session(
            id: "s1", startedAt: startedAt.iso8601WithoutFraction, observed: observedBefore,
            runs: runs.enumerated().map { Self.run($1, index: $0 + 1) })
        return FrozenProfile(
            release: request.version.text, date: startedAt.iso8601WithoutFraction,
            datasetID: request.datasetID.map { .value($0) }
                ?? .unavailable(reason: "not given: --dataset-id"),
            episodesProcessed: episodes,
            environment: ProfileEnvironment(identity: identity, observed: observedBefore),
            captureQuality: quality, recipe: recipe, sessions: [session])
    }

    /// The stages' exact times.
    func stageTruth(archivedLog: String) -> StageTruth {
        let report = measured.report
        let origin = measured.run.startedMonotonicNanoseconds
        let log = report.log
        return StageTruth(
            release: request.version.text,
            datasetID: request.datasetID.map { .value($0) } ?? .unavailable(reason: "not given"),
            generatedAt: SystemClock.now.iso8601WithoutFraction, run: Self.use(of: measured.run, report),
            stages: report.stages.map { stage in
                StageTruth.Stage(
                    stage: stage.name, entered: .value(stage.entered), use: ResourceUse(stage),
                    source: stage.source.rawValue, workSeconds: stage.work.map(\.inSeconds))
            },
            transitions: report.transitions.map { transition in
                StageTruth.Transition(
                    seconds: Duration(nanosecondCount: transition.monotonicNanoseconds - origin).inSeconds,
                    stage: transition.stage, isBegin: transition.isBegin)
            },
            monitor: StageTruth.Monitor(
                isEnabled: true, forcedFileLogVariable: RunDirectory.forcedLogVariable,
                sourceLog: Files.name(of: measured.logFile),
                archivedLog: log == nil ? nil : archivedLog,
                lines: log.map { .value($0.lines) } ?? .unavailable(reason: "no log was written"),
                bytes: log.map { .value(Int($0.bytes)) } ?? .unavailable(reason: "no log was written"),
                note: log.flatMap { $0.lost > 0 ? "\($0.lost) lines could not be written" : nil }),
            sourceFile: .value(Files.name(of: edgesFile)),
            sampleIntervalSeconds: .value(request.monitorInterval.inSeconds))
    }

    /// The file that the stages' edges come from.
    private var edgesFile: String {
        let location = StatusLocation(outputDirectory: measured.run.directory.output)
        return measured.report.stages.contains { $0.source == .eventTrace }
            ? location.eventTrace : location.statusFile
    }

    /// The flamegraph, cut by stage where the samples know theirs.
    func flamegraph(of profile: StackProfile) -> [UInt8] {
        let hasStages = profile.labelSets.contains { $0.stage != nil }
        let grouped = hasStages ? profile.grouped(by: [.stage]) : profile
        var options = FlameGraphSVG.Options()
        options.title =
            "\(PlainText.sanitized(request.command.first.map(Files.name) ?? "")) \(request.version)"
        options.subtitle = hasStages ? "on-CPU time by stage" : "time by function; not cut by stage"
        options.facts = facts(profile)
        return FlameGraphSVG.render(FlameGraphLayout(grouped), options: options)
    }

    /// The stacks themselves, each sample with its stage, thread and process.
    func pprof(of profile: StackProfile) -> [UInt8] {
        let run = runs.last { $0.kind == .profiled }?.finished
        return Pprof.write(profile, start: run?.startedAt, duration: run?.wall)
    }

    private func facts(_ profile: StackProfile) -> CaptureFacts {
        let kernel = CurrentProcess.kernel
        var facts = CaptureFacts()
        facts.command = .value(recipe.arguments.joined(separator: " "))
        facts.version = .value(request.version.text)
        facts.host = .value(
            "\(CurrentProcess.hostName), \(kernel.system) \(kernel.release) \(kernel.machine)")
        facts.sampler = .value(stacks.account.name)
        facts.rate = stacks.account.rateHz
        facts.samples = .value(profile.totalWeight)
        facts.lost = stacks.account.lost.map(Int64.init)
        facts.truncated = stacks.account.truncated.map(Int64.init)
        facts.duration = runs.last { $0.kind == .profiled }.map { .value($0.finished.wall) }
        return facts
    }

    // MARK: - Parts of the profile

    private static func run(_ captured: CapturedRun, index: Int) -> Run {
        let stages = captured.report?.stages.map { stage in
            StageRun(
                stage: stage.name, entered: .value(stage.entered), workSeconds: stage.work.map(\.inSeconds),
                use: ResourceUse(stage), isShared: stage.isShared)
        }
        return Run(
            index: index, kind: captured.kind, startedAt: captured.finished.startedAt.iso8601,
            exit: .value(Int(captured.finished.outcome.status.shellCode)),
            use: use(of: captured.finished, captured.report),
            stages: stages ?? [])
    }

    /// The whole run: wall and CPU time by the kernel's account at its end, which includes every waited-for
    /// descendant. The peak is the larger of what that account and the monitor say: `wait4` knows the largest single
    /// process, the monitor also processes that lived at the same time.
    private static func use(of run: TargetRun.Finished, _ report: MonitorReport?) -> ResourceUse {
        let wall = run.wall.inSeconds
        let cpu = run.outcome.cpu.inSeconds
        let seen = report?.totals.peakResident.value ?? .zero
        return ResourceUse(
            wallSeconds: .value(wall), cpuSeconds: .value(cpu),
            peakResidentMB: .value(max(run.outcome.peakResident, seen).mebibytes),
            averageCPUPercent: wall > 0
                ? .value(cpu / wall * 100) : .unavailable(reason: "the run took no measurable time"))
    }

    private var identity: EnvironmentIdentity {
        var identity = EnvironmentProbe.machineIdentity()
        let git = GitState.read(directory: Files.workingDirectory)
        identity[.gitCommit] = git.commit.map(Fact.text)
        identity[.gitDirty] = git.isDirty.map(Fact.bool)
        identity[.pipelineVersion] = .value(.text(request.version.text))
        identity[.configDigest] = recipe.configurationSHA256.map(Fact.text)
        identity[.inputDigest] = recipe.inputSHA256.map(Fact.text)
        identity[.buildMode] = .unavailable(reason: "the pipeline does not tell")
        identity[.stageGraph] = EnvironmentProbe.stageGraph(of: measured.report.stages.map(\.name))
        return identity
    }

    private var recipe: Recipe {
        var digest = Reading<String>.unavailable(reason: "no configuration was named: --config")
        if let path = request.configurationFile {
            do throws(SystemError) {
                digest = .value(try SHA256.file(path).sha256)
            } catch {
                digest = .unavailable(reason: error.description)
            }
        }
        return Recipe(
            arguments: request.command.map(RecipeText.portable), configurationPath: request.configurationFile,
            configurationSHA256: digest,
            inputSHA256: .unavailable(reason: "the pipeline does not declare its input"), environment: [])
    }

    private var quality: CaptureQuality {
        let measuredWall = measured.run.wall.inSeconds
        let profiled = runs.last { $0.kind == .profiled }
        let slowdown: Reading<Double> =
            profiled.map { .value($0.finished.wall.inSeconds / measuredWall) }
            ?? .unavailable(reason: "there was no profiled run")
        return CaptureQuality(
            sampler: stacks.account, profiledOverMeasuredWall: slowdown,
            monitorCPUSeconds: .value(measured.report.monitorCPU.inSeconds),
            samplerCPUSeconds: stacks.samplerCPU.map(\.inSeconds),
            notes: (measured.report.notes + stacks.notes).map { PlainText.sanitized($0) })
    }

    /// The highest episode the pipeline told of.
    private var episodes: Reading<Int> {
        measured.report.highestEpisode.map { .value($0) }
            ?? .unavailable(reason: "the pipeline tells no episodes")
    }
}

extension ResourceUse {
    /// What a stage used, as the monitor saw it.
    init(_ stage: MonitorReport.Stage) {
        self.init(
            wallSeconds: stage.wall.map(\.inSeconds), cpuSeconds: stage.cpu.map(\.inSeconds),
            peakResidentMB: stage.peakResident.map(\.mebibytes), averageCPUPercent: stage.averageCPUPercent)
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
