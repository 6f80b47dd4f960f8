internal import Measurement

/// One reading of the status file.
struct StatusReading {
    var snapshot: StatusSnapshot
    /// Whether nothing is known of what the file said before.
    var isFirst: Bool
    /// When the file was replaced, by our CLOCK_MONOTONIC in nanoseconds.
    var replacedAt: Int64
    /// When it was read, and the wall clock at that moment.
    var readAt: Int64
    var wallClock: Timestamp
}

/// Finds the events between two states of the status file. Pure.
struct StatusDiffer {
    /// A sentence when the pipeline's own times cannot be used; nil while they can.
    private(set) var disagreement: String?

    private var active: [StageName] = []
    private var stageStartedAt: Timestamp?
    private var lastEdge: Int64?
    private let earliest: Int64

    /// How long before the replacement of the file a stage may have begun by the pipeline's own clock.
    private static let tolerance: Int64 = 2_000_000_000

    /// A differ of a run that began at a moment of CLOCK_MONOTONIC.
    init(earliest: Int64) {
        self.earliest = earliest
    }

    /// The events that lead to a state.
    mutating func events(to reading: StatusReading) -> [StageEvent] {
        let snapshot = reading.snapshot
        let current = snapshot.stage == .done ? [] : [snapshot.stage]
        let desired = (snapshot.activeStages ?? current).filter { $0 != .done }
        // A writer that lists its open stages says by that when one of them ends; one that does not, by a new start.
        let isReentry =
            snapshot.activeStages?.count ?? 1 <= 1 && active == desired && !active.isEmpty
            && hasMoved(snapshot.stageStartedAt)
        let ended = isReentry ? active : active.filter { !desired.contains($0) }
        let begun = isReentry ? desired : desired.filter { !active.contains($0) }
        guard !ended.isEmpty || !begun.isEmpty else { return [] }
        // The start in the file is that of `stage`, and so the moment of this edge only if that one has begun now.
        let reported = begun.contains(snapshot.stage) || desired.isEmpty ? snapshot.stageStartedAt : nil
        let moment = edgeTime(reported, reading)
        active = desired
        stageStartedAt = snapshot.stageStartedAt
        lastEdge = moment
        return ended.map { StageEvent(.end, $0, at: moment) }
            + begun.map {
                StageEvent(
                    .begin, $0, episode: $0 == snapshot.stage ? snapshot.episode : nil, at: moment)
            }
    }

    /// Whether the same stage has been begun anew: its start is another one, by more than rounding.
    private func hasMoved(_ started: Timestamp?) -> Bool {
        guard let started, let stageStartedAt else { return false }
        return stageStartedAt.duration(to: started) > .microseconds(500)
    }

    /// The pipeline's own moment where it agrees with the file's replacement, else the replacement.
    private mutating func edgeTime(_ started: Timestamp?, _ reading: StatusReading) -> Int64 {
        let floor = lastEdge ?? earliest
        let replaced = max(floor, min(reading.replacedAt, reading.readAt))
        guard let started, started != stageStartedAt else { return replaced }
        let moment = reading.readAt - started.duration(to: reading.wallClock).inNanoseconds
        // The file found first may have been replaced many times since its stage began.
        let first = reading.isFirst ? earliest : reading.replacedAt - Self.tolerance
        guard (first...max(first, reading.replacedAt + StageFeed.fileClockLag)).contains(moment) else {
            note(moment - reading.replacedAt)
            return replaced
        }
        // Whole seconds say less than the replacement does.
        let isExact = started.nanosecondsSinceEpoch % 1_000_000_000 != 0
        return isExact && (floor...max(floor, reading.readAt)).contains(moment) ? moment : replaced
    }

    private mutating func note(_ difference: Int64) {
        guard disagreement == nil else { return }
        let seconds = Duration(nanosecondCount: abs(difference)).inSeconds.fixed(1)
        disagreement =
            "By the pipeline's own clock a stage began \(seconds) s \(difference < 0 ? "before" : "after") its status file "
            + "was replaced: that clock is off, or the file is written late. Where the two disagree, the moment of the "
            + "replacement counts."
    }
}
