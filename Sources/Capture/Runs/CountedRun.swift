internal import FrozenProfile
internal import InstructionCounting
internal import LinuxProcess
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement
internal import Metrics
internal import StackRecording

/// The run whose instructions are counted. It takes many times as long, so its times are not counted.
struct CountedRun {
    /// What was counted, and by whom.
    struct Counted: Sendable {
        var counts: InstructionCounts
        var engine: any CountingEngine
        /// The command that was counted, as it was asked for.
        var command: [String]
        /// Settings of the environment that were made for it.
        var environment: [String: String]
    }

    let engine: any CountingEngine
    /// The command, with `{output_dir}` where the run's output directory belongs.
    let command: [String]
    let directory: RunDirectory
    /// When it is ended; nil for never.
    let limit: Duration?

    /// Where the engine writes.
    private var place: String { Files.directory(of: directory.standardError) + "/counts" }

    /// The command in the form in which it is run.
    func prepare() throws(CaptureError) -> CountedCommand {
        do throws(SystemError) {
            try Files.createDirectories(place)
        } catch {
            throw .cannotWrite(error.description)
        }
        return try translating { () throws(CountingError) in
            try engine.prepare(
                directory.command(command), environment: directory.environment, directory: place)
        }
    }

    /// Runs the command to its end under the monitor, and reads what was counted.
    func perform(
        _ observation: RunObservation, prepared: CountedCommand, signals: borrowing SignalInbox
    ) throws(CaptureError) -> (observed: RunObservation.Observed, counted: Counted?) {
        let deadline = limit.map { SystemClock.monotonicNanoseconds + $0.inNanoseconds }
        var isOverdue = false
        var observed = try observation.perform(
            signals: signals,
            whileRunning: { (pid, _) throws(CaptureError) in
                guard let deadline, SystemClock.monotonicNanoseconds > deadline else { return }
                isOverdue = true
                // It leads a group of its own, which is not empty while it runs.
                ProcessGroup.kill(pid)
            })
        observed.run.executable = nil
        if isOverdue, let limit { observed.run.overdue = limit }
        guard observed.run.failure == nil else {
            observed.run.engineWords = engine.words(in: place)
            return (observed, nil)
        }
        let watched = WatchedInstructions(observed.report)
        let counts = try translating { () throws(CountingError) in
            try engine.counts(in: place, watched: watched)
        }
        let known = Set(DeterministicEnvironment.seeds.keys).union(DeterministicEnvironment.fixed.keys)
        return (
            observed,
            Counted(
                counts: counts, engine: engine, command: command,
                environment: prepared.environment.filter { known.contains($0.key) })
        )
    }

    private func translating<Result>(
        _ action: () throws(CountingError) -> Result
    ) throws(CaptureError) -> Result {
        do throws(CountingError) {
            return try action()
        } catch {
            switch error {
            case .cannotWrite(let sentence): throw .cannotWrite(sentence)
            default: throw .measurementFailed(error.description)
            }
        }
    }
}

extension WatchedInstructions {
    /// What the monitor read of the CPU's counter.
    init(_ report: MonitorReport) {
        func count(_ usage: MetricReadings) -> Reading<Int64> {
            usage[.instructions].flatMap { value in
                Int64(exactly: value.rounded()).map { .value($0) }
                    ?? .unavailable(reason: "the count is no number that a counter holds")
            }
        }
        self.init(
            stages: report.stages.map {
                Stage(
                    name: $0.name, entered: $0.entered, instructions: count($0.usage), isShared: $0.isShared)
            },
            total: count(report.totals.usage))
    }
}

/// The directory of a counted run: its path is the same each time, for what programs do with a path depends on it.
struct CountedWorkspace: ~Copyable {
    /// Nil where none was asked for.
    let path: String?

    /// The most captures at a time, counting those that were killed and left theirs.
    private static let maximum = 100

    init(isNeeded: Bool) throws(CaptureError) {
        guard isNeeded else {
            path = nil
            return
        }
        for number in 0..<Self.maximum {
            let path = "\(TemporaryPlace.directory)/freeze-profile.counted.\(number.zeroPadded(to: 2))"
            do throws(SystemError) {
                try Files.createPrivateDirectory(path)
            } catch {
                if error.isAlreadyThere { continue }
                throw .cannotWrite(error.description)
            }
            self.path = path
            return
        }
        throw .cannotWrite(
            "There are \(Self.maximum) directories '\(TemporaryPlace.directory)/freeze-profile.counted.*' already. "
                + "Remove those that no capture uses.")
    }

    deinit {
        guard let path else { return }
        Files.discardTree(path)
    }
}

extension FrozenCounts {
    /// What a run executed, as it is frozen.
    init(_ counted: CountedRun.Counted, command: [String]) {
        func part(_ stages: [InstructionCounts.Stage]) -> Part {
            var calls: [String: Int64] = [:]
            var reason: String?
            for stage in stages {
                for (name, count) in stage.systemCalls.value ?? [:] { calls[name, default: 0] += count }
                reason = reason ?? stage.systemCalls.unavailableReason
            }
            var bounds: [String] = []
            for bound in stages.flatMap(\.lowerBound) where !bounds.contains(bound) { bounds.append(bound) }
            return Part(
                instructions: [stages.reduce(0) { $0 + $1.instructions }],
                systemCalls: reason.map { .unavailable(reason: $0) } ?? .value(calls), lowerBound: bounds,
                isShared: stages.count == 1 && stages[0].isShared)
        }
        let all = counted.counts.stages
        self.init(
            engine: counted.engine.name, identity: counted.engine.identity,
            command: command,
            environment: counted.environment.sorted { $0.key < $1.key }
                .map { Recipe.Variable(name: $0.key, value: $0.value) },
            stages: all.compactMap { stage in
                stage.stage.map { Stage(name: $0, part: part([stage])) }
            },
            outside: part(all.filter { $0.stage == nil }), total: part(all))
    }
}
