internal import LinuxSystem
package import Measurement

/// The event trace of a run that is over.
package struct StageTrace {
    private let events: [StageEvent]
    private let isCut: Bool

    /// The most of a trace that is read, in bytes: a million events.
    private static let limit = 200 << 20

    /// The trace at a path; nil where there is none, nothing in it, or events whose moment only a reader knows that was
    /// there when they were written.
    package init?(_ path: String) {
        guard let follower = LineFollower(path: path, .writtenByPipeline) else { return nil }
        var events: [StageEvent] = []
        var read = 0
        var lines = follower.nextLines()
        while !lines.isEmpty, read < Self.limit {
            for line in lines {
                var isTimed = true
                let event = StageEvent.parse(line) { _ in
                    isTimed = false
                    return nil
                }
                guard isTimed else { return nil }
                if let event { events.append(event) }
                read += line.count + 1
            }
            lines = follower.nextLines()
        }
        if events.isEmpty { return nil }
        self.events = events
        isCut = !lines.isEmpty
    }

    /// Which stage was active when.
    package var timeline: StageTimeline {
        StageTimeline(
            events: events,
            unrecordedFrom: isCut ? events.map(\.monotonicNanoseconds).max() : nil)
    }

    /// Whether it has all of some stages; one that was begun anew while the run went on has only the later ones.
    package func holds(_ stages: some Sequence<StageName>) -> Bool {
        Set(stages).isSubset(of: events.map(\.stage))
    }

    /// The stages that it names, in order.
    package var stages: [StageName] {
        var seen: Set<StageName> = []
        return events.map(\.stage).filter { $0 != .done && seen.insert($0).inserted }
    }

    /// Processes that only marked stages.
    package var markers: Set<Int32> { Set(events.compactMap(\.marker?.pid)) }
}
