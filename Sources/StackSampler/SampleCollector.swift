internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Turns the kernel's records into a profile. Used by one thread at a time.
final class SampleCollector {
    private let recorder: SampleRecorder
    private let ownership: EventOwnership
    let python: PythonSampling

    /// Which processes are the target's; nil where no other is sampled.
    private var membership: FamilyMembership?
    private var account: ClockAccount
    private let root: Int32
    /// Samples that the kernel dropped, those of other programs included.
    private var lostByAll = 0
    /// What the first process was called when it ended: afterwards nothing else has its name.
    private var lastNameOfRoot = ""
    /// Processes that have ended, with the turn of their end: their threads' counts follow.
    private var ended: [(processID: Int32, turn: Int)] = []
    private var turn = 0
    private var nextPolled = 0
    /// CPU time of the first process and of the children that it has waited for: before, and since then as last read.
    private let familyBefore: Int64
    private var familySeen: Int64 = 0

    init(
        _ configuration: SamplerConfiguration, root: Int32, ownership: EventOwnership,
        membership: FamilyMembership?, health: SamplerHealth
    ) {
        recorder = SampleRecorder(configuration, health: health)
        python = PythonSampling(configuration)
        self.ownership = ownership
        self.membership = membership
        self.root = root
        account = ClockAccount(periodNanoseconds: configuration.periodNanoseconds)
        familyBefore = Self.familyClock(of: root) ?? 0
    }

    /// CPU time of a process and of all children that it has waited for; nil when it is gone.
    private static func familyClock(of processID: Int32) -> Int64? {
        guard let stat = ProcessStat.ofProcess(processID), let clock = ProcessClock.cpu(of: processID) else {
            return nil
        }
        return (clock + stat.waitedChildrenCPU).inNanoseconds
    }

    /// Reads a process that runs already.
    func seed(_ processID: Int32) {
        recorder.processes.seed(processID)
        python.finder.seed(processID)
        account.begin(processID, clock: ProcessClock.cpu(of: processID)?.inNanoseconds ?? 0)
    }

    /// A command that has not begun yet.
    func expect(_ processID: Int32) {
        account.begin(processID, clock: ProcessClock.cpu(of: processID)?.inNanoseconds ?? 0)
    }

    /// Takes in one record.
    func take(_ bytes: UnsafeRawBufferPointer) {
        guard let record = PerfRecord(bytes) else {
            recorder.health.unreadableRecords += 1
            return
        }
        switch record {
        case .sample(let sample): take(sample)
        case .switched: break
        case .mapping(let mapping):
            guard isMember(mapping.processID) else { return }
            recorder.processes.apply(mapping)
            python.finder.mapped(mapping.mapping.path, by: mapping.processID)
        case .name(let processID, let threadID, let name, let isExec):
            if isExec { membership?.exec(processID) }
            guard isMember(processID) else { return }
            recorder.processes.setName(name, processID: processID, threadID: threadID, isExec: isExec)
            if isExec { python.finder.exec(processID) }
        case .fork(let processID, let threadID, let parentID, let parentThreadID):
            membership?.fork(processID, from: parentID)
            guard isMember(processID) else { return }
            if processID != parentID {
                beginProcess(processID)
                python.fork(processID, from: parentID)
            }
            recorder.processes.fork(
                processID: processID, threadID: threadID, parentID: parentID, parentThreadID: parentThreadID)
        case .exit(let processID, let threadID): end(processID: processID, threadID: threadID)
        case .count(let processID, _, _, let nanoseconds):
            guard isMember(processID) else { return }
            account.leave(processID, nanoseconds: Int64(clamping: nanoseconds))
        case .lost(let count):
            membership?.doubt()
            lostByAll += Int(clamping: count)
        case .throttled: recorder.health.throttled += 1
        case .other: break
        }
    }

    private func isMember(_ processID: Int32) -> Bool { membership?.contains(processID) ?? true }

    private func beginProcess(_ processID: Int32) {
        account.fork(processID, nameOfFormer: name(of: processID), at: SystemClock.monotonicNanoseconds)
        ended.removeAll { $0.processID == processID }
    }

    private func end(processID: Int32, threadID: Int32) {
        ownership.forget(threadID)
        python.forget(threadID)
        guard isMember(processID) else { return }
        if !recorder.processes.hasSamples(ofThread: threadID, processID: processID) {
            recorder.health.endedUnsampled += 1
        }
        if processID == threadID {
            account.name(processID, name(of: processID))
            if processID == root { lastNameOfRoot = name(of: root) }
            ended.append((processID, turn))
            python.exit(processID)
        }
        recorder.processes.exit(processID: processID, threadID: threadID)
    }

    private func name(of processID: Int32) -> String {
        recorder.processes.knownName(of: processID) ?? (processID == root ? lastNameOfRoot : "")
    }

    /// The most clocks read in a turn.
    private static let mostPolled = 256

    /// Holds the samples against the clocks of the processes: to be called when all records so far have been taken in.
    func compareClocks() {
        turn += 1
        if let clock = Self.familyClock(of: root) { familySeen = max(familySeen, clock - familyBefore) }
        let known = account.known
        for offset in 0..<min(known.count, Self.mostPolled) {
            let processID = known[(nextPolled + offset) % known.count]
            if let clock = ProcessClock.cpu(of: processID) {
                account.see(processID, clock: clock.inNanoseconds)
            }
        }
        nextPolled &+= Self.mostPolled
        let now = SystemClock.monotonicNanoseconds
        account.settle(at: now, name: name)
        // Only the first thread may have ended: as long as there is a clock, there is a process.
        let over = ended.filter { $0.turn < turn - 1 }
        ended.removeAll { $0.turn < turn - 1 }
        for (processID, _) in over {
            if ProcessClock.cpu(of: processID) != nil {
                ended.append((processID, turn))
            } else if processID != root {
                account.end(processID, name: name(of: processID), at: now)
            }
        }
    }

    /// Closes the account of CPU time, and shows what is missing.
    ///
    /// - Parameter total: The whole target's time, where it was counted.
    func closeAccount(total: Int64?) {
        compareClocks()
        let now = SystemClock.monotonicNanoseconds
        // The counter stops before a process has given its memory back, which takes a short one a tenth of its time.
        let outcome = account.close(
            total: total.map { max($0, familySeen) }, root: (root, name(of: root)), at: now,
            isUnbiased: membership != nil, name: name)
        recorder.take(outcome, periodNanoseconds: recorder.configuration.periodNanoseconds)
    }

    /// Notes what went wrong outside the records.
    func note(_ problem: String) { recorder.health.note(problem) }

    /// How many of the samples so far were cut off by the end of the copied stack.
    var cut: StackWindow.Count {
        let health = recorder.health
        return StackWindow.Count(samples: health.recorded, cut: recorder.cutByWindow)
    }

    /// The processes that have been seen and have not ended.
    var processes: [Int32] { recorder.processes.running }

    func note(_ extent: StackWindow.Extent) {
        if extent.bytes > recorder.health.stackBytes { recorder.health.enlargements += 1 }
        recorder.health.stackBytes = extent.bytes
    }

    /// The profile of all that was taken in.
    func profile(samplerCPU: Duration) -> RawProfile {
        for sentence in python.finder.refusals { note(sentence) }
        if let problem = python.problem { note(problem) }
        let health = recorder.health
        recorder.health.lost = health.share(ofLost: lostByAll)
        return finished(samplerCPU)
    }

    private func finished(_ samplerCPU: Duration) -> RawProfile {
        recorder.profile(
            periodNanoseconds: recorder.configuration.periodNanoseconds, samplerCPU: samplerCPU)
    }

    private func take(_ sample: PerfSample) {
        guard isMember(sample.processID) else {
            recorder.health.foreign += 1
            return
        }
        // Twice watched, by its own event and by one inherited while we attached: one of the two counts.
        guard
            python.isRead(sample)
                ?? ownership.counts(
                    identifier: sample.identifier, threadID: sample.threadID, time: sample.time)
        else { return }
        recorder.health.received += 1
        guard recorder.hasRoom() else { return }
        account.sample(sample.processID)
        let process = recorder.processes.process(sample.processID)
        guard let registers = sample.registers else {
            recorder.health.withoutStack += 1
            if sample.is32Bit { recorder.health.in32BitMode += 1 }
            recorder.record(
                sample.is32Bit ? .in32BitMode : .inKernel, threadID: sample.threadID, of: process,
                at: Int64(clamping: sample.time))
            return
        }
        let moment = SampleRecorder.Moment(
            threadID: sample.threadID, monotonicNanoseconds: Int64(clamping: sample.time),
            registers: registers, stack: sample.stack, isStackCut: sample.isStackCut, chain: sample.chain)
        guard let walk = recorder.walk(moment, of: process) else { return }
        if sample.isInKernel && walk.hasNoCode {
            // In the middle of an exec: the registers are of the program before.
            recorder.health.withoutStack += 1
            recorder.record(
                .inKernel, threadID: sample.threadID, of: process, at: moment.monotonicNanoseconds)
        } else {
            recorder.record(walk, moment, of: process, python: python.finding(of: sample))
        }
    }
}
