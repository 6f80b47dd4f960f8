internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import Stages

/// What is known at one moment of a run.
struct Tick: Equatable {
    var timestamp: Timestamp
    var pid: Int32
    /// The open stages, the one begun last first; empty when none is.
    var stages: [StageName]
    /// What stands for the stage when none is open: `none`, `done`, or nil before the first.
    var idleWord: String?
    var episode: EpisodePosition?
    var resident: Reading<ByteCount>
    /// The peak of the run so far.
    var peak: Reading<ByteCount>
    /// CPU time by wall time since the tick before, in percent of one core.
    var cpuPercent: Reading<Double>
    var elapsed: Duration
    var stageElapsed: Duration?
    /// Whether the pipeline runs under a heap profiler.
    var isHeapCaptured = false
    /// Moved from and to storage so far, and how fast it was since the tick before, in bytes a second.
    var diskRead: Reading<ByteCount> = .unavailable(reason: "it was not read")
    var diskWritten: Reading<ByteCount> = .unavailable(reason: "it was not read")
    var diskRate: Reading<Double> = .unavailable(reason: "it was not read")
    /// How many processes there are.
    var processCount = 1
}

/// Watches one run: takes in transitions and samples, keeps the account.
struct Observation {
    let pid: Int32
    /// When the target was first watched.
    let startedAt: Int64
    private(set) var ledger = StageLedger()
    private(set) var ticks = 0
    private(set) var totalPeak: MemoryPeak?
    private(set) var feed: StageFeed
    private(set) var lastSample: TargetSample?
    private(set) var notes: [String] = []
    private let name: String
    let sampler: TargetSampler
    private var proportional = ProportionalReader()
    /// What the whole run has used, by the word of who waited for it.
    private(set) var waitedUsage: UsageCounts?
    private var rate = RateMeter()
    private var diskRate = RateMeter()
    private let isHeapCaptured: Bool
    /// Events that came when the target was already gone: they wait for its last CPU time.
    private var pending: [StageEvent] = []
    /// CPU time of processes that only marked stages, in nanoseconds: it is the toolkit's and not the pipeline's.
    private var markerCPU: Int64 = 0
    /// The most memory that such a process had.
    private var largestMarker = ByteCount.zero
    private var endedAt: Int64?

    /// Begins to watch a process; nil when there is none of that number.
    ///
    /// - Parameter counted: What stands for instructions.
    init?(
        pid: Int32, excluding excluded: Set<Int32>, configuration: MonitorConfiguration,
        counted: TreeCounter.Event = .instructions
    ) {
        guard let sampler = TargetSampler(pid: pid, excluding: excluded, counted: counted) else { return nil }
        self.pid = pid
        self.sampler = sampler
        name = configuration.name
        isHeapCaptured = configuration.isHeapCaptured
        // A start is reported in ticks of 10 ms.
        let started = ProcessClock.monotonicStart(of: sampler.target) - 20_000_000
        feed = StageFeed(
            statusFile: configuration.statusFile, existing: .isOfThisRun(since: started),
            owner: configuration.statusOwner)
        startedAt = SystemClock.monotonicNanoseconds
        takeSample(atEdge: true)
        sampler.resetMarks()
    }

    /// Takes in the transitions that have come; false when there were none.
    mutating func readTransitions() -> Bool {
        let edges = feed.read()
        guard !edges.isEmpty else { return false }
        sampler.markers.formUnion(edges.compactMap(\.marker?.pid))
        let open = ledger.active
        guard let sample = takeSample(atEdge: true) else {
            pending += edges
            return true
        }
        if let peak = sample.peak { ledger.credit(peak, to: open) }
        let shares = proportional.read { sampler.proportionalResident() }
        if let shares { ledger.creditProportional(shares, to: open) }
        apply(edges, sample: sample)
        if let shares { ledger.creditProportional(shares, to: ledger.active) }
        // What is resident now is resident in the stages that have just begun.
        if let resident = sample.resident {
            ledger.credit(MemoryPeak(size: resident, isHighWaterMark: false), to: ledger.active)
        }
        sampler.resetMarks()
        return true
    }

    /// Looks at the target, unless the transitions that were just taken in have done so.
    mutating func tick(looking: Bool = true) -> Tick {
        ticks += 1
        if looking, let peak = takeSample(atEdge: false)?.peak {
            ledger.credit(peak, to: ledger.active)
        }
        return currentTick()
    }

    /// Whether the target is still a copy of its parent.
    var awaitsExec: Bool { sampler.awaitsExec }

    /// Watches a process of the run that has lost its parent.
    mutating func adopt(pid: Int32) {
        sampler.adopt(pid: pid)
        takeSample(atEdge: false)
    }

    /// Takes in what a process has used in all that has lost its parent and has ended.
    mutating func orphanHasEnded(pid: Int32, cpu: Duration) {
        sampler.orphanHasEnded(pid: pid, cpu: cpu)
        if endedAt == nil { takeSample(atEdge: false) }
    }

    /// Looks at the target without making a tick of it.
    mutating func look() {
        takeSample(atEdge: false)
    }

    /// Says that the target has ended. Its entry may still be there to be read.
    mutating func targetHasEnded(at moment: Int64) {
        guard endedAt == nil else { return }
        endedAt = moment
        takeSample(atEdge: true)
        _ = readTransitions()
    }

    /// Closes the account with what the kernel reported to the process that waited for the target.
    mutating func conclude(_ waited: WaitedUsage) {
        let hasEnded = endedAt != nil
        let heard = endedAt ?? SystemClock.monotonicNanoseconds
        let end = waited.ended.map { max(startedAt, min(heard, $0)) } ?? heard
        endedAt = end
        feed.wantHistory()
        _ = readTransitions()
        if !hasEnded { takeSample(atEdge: true) }
        let total = hasEnded ? waited.cpu.flatMap { sampler.cpuSinceFirstSeen(waited: $0) } : nil
        // The kernel keeps one mark for all children that were waited for: one of a marker says nothing of the others.
        let hidesPeak = waited.peak.map { $0 <= largestMarker + .mebibytes(1) } ?? true
        if hasEnded, !hidesPeak, let peak = waited.peak.flatMap({ sampler.peak(waited: $0) }) {
            totalPeak = .larger(totalPeak, peak)
        }
        if hasEnded, let usage = waited.usage {
            let counts = sampler.usageSinceFirstSeen(waited: usage)
            waitedUsage = counts
            lastSample?.usage.raiseInherited(to: counts)
        }
        if let sample = lastSample { apply(pending, sample: sample, after: .some(total)) }
        if let total {
            raiseCPU(to: total)
            if let known = lastSample?.cpu, known > total { lastSample?.cpu = total }
        }
        pending = []
        lastOpen = openStages
        ledger.endAll(at: EdgePoint(monotonic: end, cpu: cpuReading, usage: lastSample?.usage))
        if total != nil, let used = cpuReading.value { ledger.bound(cpuTo: used) }
        endedAt = end
    }

    /// Stages in which processes ended whose peaks are not known.
    private(set) var stagesWithUnknownEnds: Set<StageName> = []
    /// The stages that were open when the run ended.
    private(set) var lastOpen: [StageName] = []

    /// When the run ended, nil while it goes on.
    var end: Int64? { endedAt }

    var cpuReading: Reading<Int64> {
        lastSample.map { .value(max(0, $0.cpu - markerCPU)) }
            ?? .unavailable(reason: "the process could not be read")
    }

    var memoryProblem: String? { sampler.resetProblem }
    /// Why peaks of processes that ended between two looks are missing; nil where they are not.
    var endsProblem: String? { stagesWithUnknownEnds.isEmpty ? nil : sampler.endsProblem }
    /// Why the CPU time of children that have ended is reported in ticks; nil where it is not.
    var clockProblem: String? { sampler.clockProblem }
    /// Why instructions are not counted, nil where they are; and the least share of the time for which they were.
    var instructionsProblem: String? { sampler.instructionsProblem }
    var instructionsCoverage: Double { sampler.instructionsCoverage }
    /// The most processes at once that are not followed.
    var processesBeyondLimit: Int { sampler.processesBeyondLimit }
    var totalsIncludeChildren: Bool { sampler.hasHadChildren }
    /// The largest proportional memory at an edge.
    var largestProportional: ByteCount? { proportional.largest }
    var proportionalProblem: String { proportional.problem }

    /// Notes that were not kept as sentences.
    private(set) var furtherNotes = 0
    private static let mostNotes = 100

    mutating func note(_ sentence: String) {
        if notes.contains(sentence) { return }
        if notes.count < Self.mostNotes { notes.append(sentence) } else { furtherNotes += 1 }
    }

    /// The present state as a tick, without looking at the target again.
    func currentTick() -> Tick {
        let now = SystemClock.monotonicNanoseconds
        let gone = "the process could not be read"
        let openStages = openStages
        let since = openStages.first.flatMap { ledger.clock.index(of: $0) }.flatMap {
            ledger.clock.stages[$0].activeSince
        }
        return Tick(
            timestamp: SystemClock.now, pid: pid, stages: openStages,
            idleWord: feed.isDone ? StageName.done.text : ledger.clock.stages.isEmpty ? nil : "none",
            episode: feed.position,
            resident: lastSample?.resident.map { .value($0) } ?? .unavailable(reason: gone),
            peak: totalPeak.map { .value($0.size) } ?? .unavailable(reason: gone),
            cpuPercent: rate.percent, elapsed: Duration(nanosecondCount: (endedAt ?? now) - startedAt),
            stageElapsed: since.map { Duration(nanosecondCount: max(0, now - $0)) },
            isHeapCaptured: isHeapCaptured, diskRead: disk(.diskRead), diskWritten: disk(.diskWritten),
            diskRate: disk(.diskRead).value == nil ? .unavailable(reason: gone) : diskRate.perSecond,
            processCount: lastSample?.processCount ?? 0)
    }

    private func disk(_ kind: UsageKind) -> Reading<ByteCount> {
        guard let usage = lastSample?.usage, usage.readable.contains(kind) else {
            return .unavailable(reason: "the process's I/O could not be read")
        }
        return .value(ByteCount(bytes: usage.counts[kind]))
    }

    /// The processes that used most CPU time of late, for the panel. Call it once a tick.
    func busiest(_ count: Int) -> [BusyProcess] { sampler.busiest(count) }

    @discardableResult
    private mutating func takeSample(atEdge: Bool) -> TargetSample? {
        let taken = sampler.sample(atEdge: atEdge)
        creditEnds()
        guard let sample = taken else { return nil }
        lastSample = sample
        if let peak = sample.peak { totalPeak = .larger(totalPeak, peak) }
        rate.add(monotonic: sample.monotonic, cpu: sample.cpu - markerCPU)
        let counts = sample.usage.counts
        diskRate.add(monotonic: sample.monotonic, cpu: counts[.diskRead] + counts[.diskWritten])
        return sample
    }

    /// Credits the memory of processes that have ended to the stages in which they did.
    private mutating func creditEnds() {
        let ends = sampler.takeEnds()
        if let peak = ends.peak {
            ledger.credit(peak, to: ledger.active)
            totalPeak = .larger(totalPeak, peak)
        }
        if ends.hasUnknown { stagesWithUnknownEnds.formUnion(ledger.active) }
    }

    private mutating func raiseCPU(to total: Int64) {
        if let known = lastSample?.cpu, total > known { lastSample?.cpu = total }
    }

    /// The open stages, the one begun last first.
    var openStages: [StageName] {
        var names: [StageName] = []
        for span in ledger.clock.spans.reversed() {
            let name = ledger.clock.stages[span.stage].name
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// Takes events in. Where the sample is older than they are, `total` is what the whole run has used, if known.
    private mutating func apply(_ events: [StageEvent], sample: TargetSample, after total: Int64?? = nil) {
        let writer = feed.snapshot?.pid.flatMap { sampler.cpu(of: $0) } ?? sampler.cpu(of: pid)
        for event in events {
            if let marker = event.marker { count(marker) }
            // By its own clock a process speaks for itself alone.
            let teller = event.processID.map { sampler.cpu(of: $0) } ?? writer
            let reported = teller == nil ? nil : event.processCPUNanoseconds
            let clocks = EdgeClocks(
                tree: reported == nil ? sample.cpu : sample.reportedCPU, teller: teller,
                processes: sample.livingCPU, reported: reported)
            let cpu =
                switch total {
                case .none: clocks.cpuFromNewerSample
                case .some(let total): clocks.cpuFromOlderSample(total: total)
                }
            let point = EdgePoint(
                // The last change of the status file may be read when the run is over.
                monotonic: min(max(event.monotonicNanoseconds, startedAt), endedAt ?? .max),
                cpu: .value(max(0, cpu - markerCPU)), usage: sample.usage)
            ledger.apply(event, at: point)
            // The pipeline's own clock is finer than the ticks in which its children's time was read.
            raiseCPU(to: cpu)
        }
    }

    /// A process that only marked a stage has used what is not the pipeline's.
    private mutating func count(_ marker: StageMarker) {
        markerCPU += marker.cpuNanoseconds
        largestMarker = max(largestMarker, .kibibytes(marker.peakKibibytes))
    }
}

/// Finds the tree's CPU time at an edge from a sample made a little later, or the last one before. In nanoseconds.
struct EdgeClocks: Equatable {
    /// Of the whole tree, in the sample.
    var tree: Int64
    /// Of the process that reports the edges, with its waited-for children, in the sample; nil when it was not in it.
    var teller: Int64?
    /// Of all living processes in the sample.
    var processes: Int64
    /// Of the reporting process by its own clock at the edge; nil where it does not say.
    var reported: Int64?

    /// The pipeline's own clock at the edge replaces what was read of that process a little later; its descendants are
    /// taken as they were read.
    var cpuFromNewerSample: Int64 {
        guard let reported, let teller else { return tree }
        return tree - teller + reported
    }

    /// Descendants that an older sample holds have mostly ended since and been waited for, and so are in the pipeline's
    /// own clock. Never less than the sample, nor more than the run used in all.
    func cpuFromOlderSample(total: Int64?) -> Int64 {
        guard let reported, teller != nil else { return max(tree, total ?? tree) }
        let value = max(tree, tree - processes + reported)
        return total.map { min(value, max($0, tree)) } ?? value
    }
}

/// CPU time by wall time over the last stretch, in percent of one core.
struct RateMeter {
    private var points: [(monotonic: Int64, cpu: Int64)] = []

    /// A stretch shorter than this says more about the scheduler than about the program.
    static let shortestStretch: Int64 = 150_000_000

    mutating func add(monotonic: Int64, cpu: Int64) {
        if points.count >= 64 { points.removeFirst(32) }
        points.append((monotonic, cpu))
    }

    /// In percent of one core. Unknown until there are two points far enough apart.
    var percent: Reading<Double> { perSecond.map { $0 / 1e7 } }

    /// What is counted, by second.
    var perSecond: Reading<Double> {
        guard let last = points.last,
            let first = points.last(where: { last.monotonic - $0.monotonic >= Self.shortestStretch })
        else { return .unavailable(reason: "there is no earlier reading to compare with") }
        return .value(
            Double(max(0, last.cpu - first.cpu)) / Double(last.monotonic - first.monotonic) * 1e9)
    }
}
