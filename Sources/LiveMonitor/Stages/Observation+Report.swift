internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import Stages

extension Observation {
    /// The report of a run that has been concluded.
    func report(name: String, exit: Reading<ExitStatus>, log: MonitorReport.Log?) -> MonitorReport {
        let ended = end ?? SystemClock.monotonicNanoseconds
        let wall = Duration(nanosecondCount: ended - startedAt)
        let cpu = cpuReading.map { Duration(nanosecondCount: $0) }
        return MonitorReport(
            name: name, targetPID: pid, stages: reconciledStages(),
            transitions: ledger.transitions.map {
                MonitorReport.Transition(
                    stage: ledger.clock.stages[Int($0.stage)].name, monotonicNanoseconds: $0.monotonic,
                    isBegin: $0.isBegin)
            },
            droppedTransitions: ledger.droppedTransitions,
            totals: MonitorReport.Totals(
                wall: .value(wall), cpu: cpu, peakResident: peakReading(totalPeak),
                peakMethod: totalPeak?.method, averageCPUPercent: averagePercent(cpu, of: wall),
                usage: totalUsage()),
            unattributed: .value(
                Duration(nanosecondCount: ledger.clock.unattributed(from: startedAt, to: ended))),
            ticks: ticks, log: log, statusFile: feed.source == nil ? nil : feed.location.statusFile,
            exit: exit, highestEpisode: feed.highestEpisode, lastStages: lastOpen,
            monitorCPU: SystemClock.processCPU,
            monitorPeakResident: ProcessMemory.ofProcess(CurrentProcess.pid).map {
                .value($0.highWaterMark)
            } ?? .unavailable(reason: "the monitor could not read its own memory"),
            notes: notes + stageNotes() + standingNotes(), stageNotes: stageNotes())
    }

    /// The stages as seen. Where the status file holds an account of its own, that is truer than what was seen of the
    /// file, and may know stages that were too short to be seen.
    private func reconciledStages() -> [MonitorReport.Stage] {
        var stages = ledger.clock.stages.indices.map { reported($0) }
        guard feed.source != .eventTrace, let history = feed.history else { return stages }
        // The account is in order of first entry: a stage that was not seen belongs after the one before it there.
        var next = 0
        for finished in history {
            let index = stages.firstIndex { $0.name == finished.stage }
            let seen = index.map { stages[$0] }
            let cpu =
                finished.cpu.map { .value($0) } ?? seen?.cpu
                ?? Reading<Duration>.unavailable(reason: "the pipeline's own account does not count it")
            let known = MonitorReport.Stage(
                name: finished.stage, entered: finished.entered, wall: .value(finished.wall),
                work: .value(finished.work), cpu: cpu,
                peakResident: seen?.peakResident ?? peakReading(nil), peakMethod: seen?.peakMethod,
                averageCPUPercent: averagePercent(cpu, of: finished.wall),
                isShared: finished.isShared, source: .statusHistory,
                usage: seen?.usage ?? unseenUsage)
            // A stage that was still open at the end has a part that the account lacks.
            guard let index, let seen else {
                stages.insert(known, at: next)
                next += 1
                continue
            }
            next = index + 1
            if !lastOpen.contains(finished.stage), seen.entered <= finished.entered { stages[index] = known }
        }
        return stages
    }

    private func reported(_ index: Int) -> MonitorReport.Stage {
        let stage = ledger.clock.stages[index]
        let meters = ledger.meters[index]
        let wall = Duration(nanosecondCount: stage.wall)
        let cpu = meters.cpu.map { Duration(nanosecondCount: $0) }
        return MonitorReport.Stage(
            name: stage.name, entered: stage.entered, wall: .value(wall),
            work: .value(Duration(nanosecondCount: stage.work)), cpu: cpu,
            peakResident: peakReading(meters.peak),
            peakMethod: meters.peak.map { stagesWithUnknownEnds.contains(stage.name) ? .atLeast : $0.method },
            averageCPUPercent: averagePercent(cpu, of: wall), isShared: stage.isShared,
            source: feed.source ?? .statusFile, usage: reported(meters.usage, meters.proportional))
    }

    private func peakReading(_ peak: MemoryPeak?) -> Reading<ByteCount> {
        peak.map { .value($0.size) }
            ?? .unavailable(reason: "the stage was over before its memory could be read")
    }

    /// Why a run that gave up its rights reports no stages: its user cannot write where they are looked for.
    private var refusedUser: String? {
        let directory = Files.directory(of: feed.location.statusFile)
        let refused = sampler.users.sorted().filter { Files.refusesWriting(to: directory, by: $0) }
        guard let user = refused.first else { return nil }
        return
            "Processes of the run belonged to user \(user), who cannot write to '\(PlainText.sanitized(directory))'. Give "
            + "--output-dir a directory that this user can write to."
    }

    /// What a reader of the stages should know.
    private func stageNotes() -> [String] {
        var notes: [String] = []
        if ledger.clock.stages.isEmpty {
            notes.append(
                (["No stage was seen.", feed.absence, refusedUser].compactMap(\.self)).joined(separator: " "))
        }
        notes += feed.notes
        if ledger.droppedTransitions > 0 {
            notes.append(
                "\(ledger.droppedTransitions) transitions after the first \(StageLedger.maximumTransitions) are counted, "
                    + "but not listed.")
        }
        if ledger.clock.beginsOfOthers > 0 {
            notes.append(
                "\(ledger.clock.beginsOfOthers) begins are of stages beyond the first \(StageClock.maximumStages): together they "
                    + "are the stage '\(StageClock.others?.text ?? "")'.")
        }
        if ledger.clock.droppedEvents > 0 {
            notes.append(
                "\(ledger.clock.droppedEvents) begins are left out, because more than \(StageClock.maximumSpans) spans were open."
            )
        }
        if processesBeyondLimit > 0 {
            notes.append(
                "Up to \(processesBeyondLimit) processes beyond the \(ProcessTree.maximumProcesses) that are followed were there at "
                    + "once: what they used is counted when they have been waited for, and their memory is missing."
            )
        }
        return notes
    }

    private func standingNotes() -> [String] {
        var notes: [String] = []
        if furtherNotes > 0 { notes.append("\(furtherNotes) further notes are not listed.") }
        if let memoryProblem {
            notes.append("Peaks of memory may be low, because marks were not reset. \(memoryProblem)")
        }
        if let endsProblem {
            notes.append(
                "Peaks of stages in which processes ended are lower bounds, because \(endsProblem). They are exact for root."
            )
        }
        if let clockProblem, totalsIncludeChildren {
            notes.append(
                "CPU time of children that have ended is known in steps of 10 ms, because \(clockProblem).")
        }
        if let coverageNote { notes.append(coverageNote) }
        if let multiplexNote { notes.append(multiplexNote) }
        return notes
    }
}

/// CPU time by wall time in percent of one core.
func averagePercent(_ cpu: Reading<Duration>, of wall: Duration) -> Reading<Double> {
    guard wall > .microseconds(1) else { return .unavailable(reason: "it took no time") }
    return cpu.map { $0.inSeconds / wall.inSeconds * 100 }
}

extension MemoryPeak {
    var method: MonitorReport.PeakMethod { isHighWaterMark ? .highWaterMark : .sampled }
}
