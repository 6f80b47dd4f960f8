internal import Measurement
internal import Stages

/// One moment at which a stage begins or ends.
struct EdgePoint: Equatable {
    /// CLOCK_MONOTONIC in nanoseconds.
    var monotonic: Int64
    /// CPU time of the whole process tree so far, in nanoseconds.
    var cpu: Reading<Int64>
    /// What else it has used so far; nil when it could not be read.
    var usage: UsagePoint?
}

/// A peak of resident memory and how it was found.
struct MemoryPeak: Equatable {
    var size: ByteCount
    /// Whether it is the kernel's own mark, or only the most that was seen.
    var isHighWaterMark: Bool

    /// The larger of two. A mark of the kernel stays one when something smaller was seen.
    static func larger(_ left: MemoryPeak?, _ right: MemoryPeak) -> MemoryPeak {
        guard let left else { return right }
        if left.size == right.size { return left.isHighWaterMark ? left : right }
        return left.size > right.size ? left : right
    }
}

/// What the stages of a run used: the clock's account of time, and of each stage the CPU time, the memory and the other
/// readings between its edges. Pure: clocks and files are read elsewhere.
struct StageLedger {
    /// A begin or an end, as it is kept for the report.
    struct Transition: Equatable {
        var monotonic: Int64
        var stage: Int32
        var isBegin: Bool
    }

    /// What a stage used, all its spans together.
    struct Meters {
        /// The readings at the moment when the stage went from no open span to one.
        var since: EdgePoint?
        var cpu: Reading<Int64> = .value(0)
        var peak: MemoryPeak?
        var usage = StageUsage()
        /// The largest proportional memory that was read at its edges.
        var proportional: ByteCount?

        mutating func close(at edge: EdgePoint) {
            guard let since else { return }
            cpu = StageLedger.sum(cpu, from: since.cpu, to: edge.cpu)
            usage.add(from: since.usage, to: edge.usage)
            self.since = nil
        }
    }

    private(set) var clock = StageClock()
    /// By the index of the stage in the clock.
    private(set) var meters: [Meters] = []
    private(set) var transitions: [Transition] = []
    private(set) var droppedTransitions = 0
    /// The last stretches of CPU time that were added to stages, in order.
    private var stretches: [Stretch] = []

    static let maximumTransitions = 100_000
    private static let mostStretches = 4096

    /// CPU time that was added to a stage, from one reading of the whole tree to a later one.
    private struct Stretch {
        var stage: Int
        var from: Int64
        var to: Int64
    }

    /// The open stages, in order of first entry.
    var active: [StageName] { clock.activeNames }

    /// Takes in an event, with the readings at its moment; false when it changed nothing.
    @discardableResult
    mutating func apply(_ event: StageEvent, at edge: EdgePoint) -> Bool {
        var event = event
        event.monotonicNanoseconds = edge.monotonic
        return take(clock.apply(event), at: edge)
    }

    /// Closes everything that is open.
    mutating func endAll(at edge: EdgePoint) {
        _ = take(clock.endAll(at: edge.monotonic), at: edge)
    }

    private mutating func take(_ changes: [StageClock.Change], at edge: EdgePoint) -> Bool {
        for change in changes {
            if meters.count <= change.stage { meters.append(Meters()) }
            switch change {
            case .opened(let stage, let isFirst): if isFirst { meters[stage].since = edge }
            case .closed(let stage, let isLast): if isLast { close(stage, at: edge) }
            }
            record(change, at: edge)
        }
        return !changes.isEmpty
    }

    private mutating func close(_ stage: Int, at edge: EdgePoint) {
        if let from = meters[stage].since?.cpu.value, let to = edge.cpu.value, to > from {
            // Of thousands of stretches that ended just before the run did, the oldest hardly matter.
            if stretches.count >= Self.mostStretches { stretches.removeFirst(Self.mostStretches / 2) }
            stretches.append(Stretch(stage: stage, from: from, to: to))
        }
        meters[stage].close(at: edge)
    }

    /// Takes back the CPU time beyond what the whole run used.
    ///
    /// At an edge, CPU time may be an estimate, because the kernel reports the time of ended children in ticks; and a look
    /// at the processes may come after the run's end. The account at the end is exact: no reading before it can have been
    /// larger.
    mutating func bound(cpuTo total: Int64) {
        for index in stretches.indices.reversed() {
            let stretch = stretches[index]
            let excess = max(0, stretch.to - max(stretch.from, total))
            guard excess > 0 else { continue }
            meters[stretch.stage].cpu = meters[stretch.stage].cpu.map { max(0, $0 - excess) }
            stretches[index].to -= excess
        }
    }

    /// Credits a peak of memory to some stages.
    mutating func credit(_ peak: MemoryPeak, to names: [StageName]) {
        for index in names.compactMap({ clock.index(of: $0) }) {
            meters[index].peak = .larger(meters[index].peak, peak)
        }
    }

    /// Credits proportional memory, read at an edge, to some stages.
    mutating func creditProportional(_ size: ByteCount, to names: [StageName]) {
        for index in names.compactMap({ clock.index(of: $0) }) {
            meters[index].proportional = max(meters[index].proportional ?? .zero, size)
        }
    }

    /// What the stage would have used if it ended at a moment.
    func standing(_ index: Int, at edge: EdgePoint) -> Meters {
        var meters = meters[index]
        meters.close(at: edge)
        return meters
    }

    private static func sum(_ sum: Reading<Int64>, from: Reading<Int64>, to: Reading<Int64>) -> Reading<Int64>
    {
        switch (sum, from, to) {
        case (.value(let sum), .value(let from), .value(let to)): .value(sum + max(0, to - from))
        case (.unavailable(let reason), _, _), (_, .unavailable(let reason), _),
            (_, _, .unavailable(let reason)):
            .unavailable(reason: reason)
        }
    }

    private mutating func record(_ change: StageClock.Change, at edge: EdgePoint) {
        guard transitions.count < Self.maximumTransitions else {
            droppedTransitions += 1
            return
        }
        transitions.append(
            Transition(monotonic: edge.monotonic, stage: Int32(change.stage), isBegin: change.isBegin))
    }
}
