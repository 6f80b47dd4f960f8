internal import FlameGraph
internal import FrozenProfile
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import ProfileStore
internal import StackProfile
internal import Stages

/// A profile and its companions, made of run records and of nothing else: the same records give the same bytes.
struct ProfileAssembly {
    /// The profile, without its companions.
    let profile: FrozenProfile
    /// The measured run whose stages' exact times and log are kept: the last.
    let shown: LoadedRecord
    /// The stacks of all profiled runs; nil when there are none.
    let stacks: StackProfile?
    private let profiled: [RunRecord]
    /// The picture that py-spy's stacks gave, of the last run that has one.
    private let pySpyPicture: String?

    /// The instructions of all counted runs by function; nil when there are none.
    let counts: StackProfile?

    /// - Parameter reasonForNoCounts: Why no run was counted although that was asked for.
    init(
        _ records: [LoadedRecord], release: VersionName, reasonForNoCounts: String? = nil
    ) throws(ProfileError) {
        var profile = try FrozenProfile(records: records.map(\.record), release: release)
        if profile.counts == nil, let reasonForNoCounts {
            profile.counts = .unavailable(reason: reasonForNoCounts)
        }
        let inOrder = RunRecord.inOrder(records.map(\.record))
        // There is one, or there would be no profile.
        guard let last = inOrder.last(where: \.run.counts),
            let shown = records.first(where: { $0.record.name == last.name })
        else { throw .noMeasuredRun }
        self.shown = shown
        profiled = inOrder.filter { $0.run.kind == .profiled && !$0.run.hasFailed }
        stacks = try ProfileAssembly.stacks(of: profiled, .stacks, in: records)
        counts = try ProfileAssembly.stacks(
            of: inOrder.filter { $0.run.kind == .counted && !$0.run.hasFailed }, .counts, in: records)
        if let frozen = profile.counts?.value {
            profile.captureQuality?.notes += CountSpread.notes(frozen, counts)
        }
        self.profile = profile
        pySpyPicture = profiled.last { $0.file(.pySpyFlamegraph) != nil }.flatMap { record in
            records.first { $0.record.name == record.name }?.path(of: .pySpyFlamegraph)
        }
    }

    /// The files that go beside the profile.
    ///
    /// - Parameters:
    ///   - stem: What their names begin with.
    ///   - writesStageTruth: Whether the stages' exact times are among them.
    func companions(
        stem: VersionName, writesStageTruth: Bool
    ) -> [(kind: CompanionKind, source: CompanionSource)] {
        var companions: [(kind: CompanionKind, source: CompanionSource)] = []
        if writesStageTruth {
            let truth = stageTruth(archivedLog: "\(stem)\(CompanionKind.monitorLog.suffix)")
            companions.append((.stageTruth, .bytes(truth.encode())))
        }
        if let log = shown.path(of: .monitorLog) { companions.append((.monitorLog, .file(log))) }
        if let stacks {
            companions.append((.flamegraph, .bytes(flamegraph(of: stacks))))
            companions.append((.stacks, .bytes(Pprof.write(stacks))))
        }
        if let counts { companions.append((.counts, .bytes(Pprof.write(counts)))) }
        if let picture = pySpyPicture { companions.append((.pySpyFlamegraph, .file(picture))) }
        return companions
    }

    /// The stages' exact times.
    private func stageTruth(archivedLog: String) -> StageTruth {
        let record = shown.record
        let log = record.file(.monitorLog)
        let noLog = "no log was written"
        var truth = StageTruth(
            release: profile.release, datasetID: profile.datasetID, generatedAt: profile.date,
            run: record.run.use,
            stages: record.run.stages.map { stage in
                StageTruth.Stage(
                    stage: stage.stage, entered: stage.entered, use: stage.use,
                    source: stage.source ?? "not recorded", workSeconds: stage.workSeconds)
            },
            transitions: record.transitions,
            monitor: StageTruth.Monitor(
                isEnabled: record.monitor != nil, forcedFileLogVariable: RunDirectory.forcedLogVariable,
                sourceLog: log.map { _ in ".monitor.log" }, archivedLog: log.map { _ in archivedLog },
                lines: record.monitor?.logLines ?? .unavailable(reason: noLog),
                bytes: log.map { .value(Int($0.bytes)) } ?? .unavailable(reason: noLog),
                note: record.monitor.flatMap {
                    $0.lostLogLines > 0 ? "\($0.lostLogLines) lines could not be written" : nil
                }), sourceFile: .value(Files.name(of: edgesFile)),
            sampleIntervalSeconds: record.monitor?.intervalSeconds
                ?? .unavailable(reason: "the run was not watched"))
        truth.transitionsLeftOut = record.transitionsLeftOut
        return truth
    }

    /// The file that the stages' edges come from.
    private var edgesFile: String {
        let location = StatusLocation(outputDirectory: "")
        return shown.record.run.stages.contains { $0.source == MonitorReport.Source.eventTrace.rawValue }
            ? location.eventTrace : location.statusFile
    }

    /// The flamegraph, cut by stage where the samples know theirs.
    private func flamegraph(of stacks: StackProfile) -> [UInt8] {
        let hasStages = stacks.labelSets.contains { $0.stage != nil }
        let grouped = hasStages ? stacks.grouped(by: [.stage]) : stacks
        let command = profile.recipe?.arguments ?? []
        var options = FlameGraphSVG.Options()
        options.title =
            "\(PlainText.sanitized(command.first.map(Files.name) ?? "")) \(PlainText.sanitized(profile.release))"
        let runs = profiled.count > 1 ? ", \(profiled.count) runs" : ""
        options.subtitle =
            (hasStages ? "on-CPU time by stage" : "time by function; not cut by stage") + runs
        options.facts = facts(stacks, command)
        return FlameGraphSVG.render(FlameGraphLayout(grouped), options: options)
    }

    private func facts(_ stacks: StackProfile, _ command: [String]) -> CaptureFacts {
        let identity = profile.environment.identity
        let machine = [IdentityKey.operatingSystem, .kernelMajor, .architecture, .cpuModel]
            .compactMap { identity[$0].value?.description }
        var facts = CaptureFacts()
        facts.command = .value(command.joined(separator: " "))
        facts.version = .value(profile.release)
        facts.host = .value(machine.joined(separator: " "))
        if let sampler = profile.captureQuality?.sampler {
            facts.sampler = .value(sampler.name)
            facts.rate = sampler.rateHz
            facts.lost = sampler.lost.map(Int64.init)
            facts.truncated = sampler.truncated.map(Int64.init)
            if let python = sampler.python { facts.further.append(("Python functions", python.summary)) }
        }
        facts.samples = .value(stacks.totalWeight)
        let seconds = profiled.compactMap(\.run.use.wallSeconds.value).reduce(0, +)
        facts.duration =
            Duration(secondsFromOutside: seconds).map { .value($0) }
            ?? .unavailable(reason: "the records' wall time is longer than 292 years")
        return facts
    }

    /// The stacks of some runs in one, each sample with the run it was taken in.
    static func stacks(
        of runs: [RunRecord], _ kind: CompanionKind, in records: [LoadedRecord]
    ) throws(ProfileError) -> StackProfile? {
        var all: StackProfile?
        for record in runs {
            guard let loaded = records.first(where: { $0.record.name == record.name }),
                let path = loaded.path(of: kind)
            else { continue }
            let stacks = try loaded.stacks(at: path).labelled(run: record.name)
            do throws(StackProfileError) {
                all = try all?.merged(with: stacks) ?? stacks
            } catch {
                throw .damagedRecordFile(path, reason: error.description)
            }
        }
        return all
    }
}
