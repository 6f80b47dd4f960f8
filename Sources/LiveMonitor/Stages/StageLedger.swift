internal import Measurement

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

/// Adds up stages from their edges and from the memory seen between them. Pure: clocks and files are read elsewhere.
struct StageLedger {
    /// A begin or an end, as it is kept for the report.
    struct Transition: Equatable {
        var monotonic: Int64
        var stage: Int32
        var isBegin: Bool
    }

    struct Stage {
        var name: StageName
        var entered = 0
        /// Starts of the open spans, oldest first.
        var open: [Int64] = []
        var activeSince: EdgePoint?
        var wall: Int64 = 0
        var work: Int64 = 0
        var cpu: Reading<Int64> = .value(0)
        var peak: MemoryPeak?
        var usage = StageUsage()
        /// The largest proportional memory that was read at its edges.
        var proportional: ByteCount?
        var isShared = false
    }

    /// In order of first entry.
    private(set) var stages: [Stage] = []
    private(set) var transitions: [Transition] = []
    private(set) var droppedTransitions = 0
    /// Time during which at least one stage was open, until the last moment at which none was.
    private var attributed: Int64 = 0
    private var attributedSince: Int64?
    private var indices: [StageName: Int] = [:]

    static let maximumTransitions = 100_000
    static let maximumStages = 1000

    /// The open stages, in order of first entry.
    var active: [StageName] { activeIndices.map { stages[$0].name } }
    var activeIndices: [Int] { stages.indices.filter { !stages[$0].open.isEmpty } }

    /// Opens a span of a stage.
    mutating func begin(_ name: StageName, at edge: EdgePoint) {
        guard let index = index(of: name) else { return }
        let others = activeIndices.filter { $0 != index }
        for other in others { stages[other].isShared = true }
        if !others.isEmpty { stages[index].isShared = true }
        if others.isEmpty, stages[index].open.isEmpty { attributedSince = edge.monotonic }
        if stages[index].open.isEmpty { stages[index].activeSince = edge }
        stages[index].open.append(edge.monotonic)
        stages[index].entered += 1
        record(index, edge, isBegin: true)
    }

    /// Closes the oldest open span of a stage; false when there is none.
    @discardableResult
    mutating func end(_ name: StageName, at edge: EdgePoint) -> Bool {
        guard let index = indices[name], !stages[index].open.isEmpty else { return false }
        let start = stages[index].open.removeFirst()
        stages[index].work += max(0, edge.monotonic - start)
        record(index, edge, isBegin: false)
        guard stages[index].open.isEmpty else { return true }
        if let since = stages[index].activeSince {
            stages[index].wall += max(0, edge.monotonic - since.monotonic)
            stages[index].cpu = Self.sum(stages[index].cpu, from: since.cpu, to: edge.cpu)
            stages[index].usage.add(from: since.usage, to: edge.usage)
        }
        stages[index].activeSince = nil
        if activeIndices.isEmpty, let since = attributedSince {
            attributed += max(0, edge.monotonic - since)
            attributedSince = nil
        }
        return true
    }

    /// Closes everything that is open.
    mutating func endAll(at edge: EdgePoint) {
        for index in activeIndices {
            while !stages[index].open.isEmpty { end(stages[index].name, at: edge) }
        }
    }

    /// Credits a peak of memory to some stages.
    mutating func credit(_ peak: MemoryPeak, to names: [StageName]) {
        for index in names.compactMap({ indices[$0] }) {
            stages[index].peak = .larger(stages[index].peak, peak)
        }
    }

    /// Credits proportional memory, read at an edge, to some stages.
    mutating func creditProportional(_ size: ByteCount, to names: [StageName]) {
        for index in names.compactMap({ indices[$0] }) {
            stages[index].proportional = max(stages[index].proportional ?? .zero, size)
        }
    }

    /// The time in a span of the clock during which no stage was open.
    func unattributed(from start: Int64, to end: Int64) -> Int64 {
        max(0, end - start - attributed - (attributedSince.map { max(0, end - $0) } ?? 0))
    }

    /// The stage with its numbers as they would be if it ended at a moment.
    func standing(_ index: Int, at edge: EdgePoint) -> Stage {
        var stage = stages[index]
        guard let since = stage.activeSince else { return stage }
        stage.wall += max(0, edge.monotonic - since.monotonic)
        stage.cpu = Self.sum(stage.cpu, from: since.cpu, to: edge.cpu)
        stage.usage.add(from: since.usage, to: edge.usage)
        return stage
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

    private mutating func record(_ index: Int, _ edge: EdgePoint, isBegin: Bool) {
        guard transitions.count < Self.maximumTransitions else {
            droppedTransitions += 1
            return
        }
        transitions.append(Transition(monotonic: edge.monotonic, stage: Int32(index), isBegin: isBegin))
    }

    /// Nil when a pipeline has named more stages than any pipeline has.
    private mutating func index(of name: StageName) -> Int? {
        if let index = indices[name] { return index }
        guard stages.count < Self.maximumStages else { return nil }
        stages.append(Stage(name: name))
        indices[name] = stages.count - 1
        return stages.count - 1
    }
}
