internal import Measurement

/// Which stage was active when, and for which thread: what gives each stack sample its stage. Pure.
package struct StageTimeline: Sendable {
    /// The label of samples taken while no stage was active.
    package static let outside = "(between stages)"
    /// The label of samples taken after the last transition that was kept.
    package static let unrecorded = "(stage not recorded)"
    /// The longest joined label, in stages; of more at once it is their number.
    private static let joinedLimit = 3

    /// From a moment on a label holds, given by its index.
    private struct Entry {
        var start: Int64
        var label: Int32
    }

    private var labels: [String] = [outside]
    /// What holds for a thread without a span of its own.
    private var common: [Entry] = []
    /// For each thread that has had spans, its innermost one; `none` while it has none.
    private var threads: [Int32: [Entry]] = [:]
    private let unrecordedFrom: Int64?
    private static let none: Int32 = -1

    /// A timeline of events in any order.
    ///
    /// - Parameter unrecordedFrom: The moment after which transitions are missing, because there were too many.
    package init(events: [StageEvent], unrecordedFrom: Int64? = nil) {
        self.unrecordedFrom = unrecordedFrom
        var clock = StageClock()
        var builder = LabelBuilder()
        for event in Self.inOrder(events) {
            let threadsBefore = event.kind == .enter ? clock.spans.compactMap(\.threadID) : []
            guard !clock.apply(event).isEmpty else { continue }
            let moment = event.monotonicNanoseconds
            append(Entry(start: moment, label: builder.label(of: clock)), to: &common)
            for thread in Set(threadsBefore + [event.threadID].compactMap { $0 }) {
                let own = clock.spans.last { $0.threadID == thread }
                let label = own.map { builder.label(ofStage: $0.stage, clock) } ?? Self.none
                append(Entry(start: moment, label: label), to: &threads[thread, default: []])
            }
        }
        labels = builder.labels
    }

    /// The stage a thread was working for at a moment.
    ///
    /// The innermost span that the thread itself has open; for a thread with none (a worker, a child process) the
    /// only open stage, or all of them joined by `+`, in order of first entry, when several are open.
    package func label(atMonotonicNanoseconds time: Int64, threadID: Int32) -> String {
        if let unrecordedFrom, time > unrecordedFrom { return Self.unrecorded }
        if let own = threads[threadID], let entry = Self.entry(of: own, at: time), entry.label != Self.none {
            return labels[Int(entry.label)]
        }
        return Self.entry(of: common, at: time).map { labels[Int($0.label)] } ?? Self.outside
    }

    private static func inOrder(_ events: [StageEvent]) -> [StageEvent] {
        let isOrdered = zip(events, events.dropFirst()).allSatisfy {
            $0.monotonicNanoseconds <= $1.monotonicNanoseconds
        }
        guard !isOrdered else { return events }
        // Events of one moment keep their order.
        return events.enumerated().sorted {
            ($0.element.monotonicNanoseconds, $0.offset) < ($1.element.monotonicNanoseconds, $1.offset)
        }.map(\.element)
    }

    private func append(_ entry: Entry, to entries: inout [Entry]) {
        if entries.last?.start == entry.start { entries.removeLast() }
        if entries.last?.label != entry.label { entries.append(entry) }
    }

    /// The last entry that starts at or before a moment, by bisection.
    private static func entry(of entries: [Entry], at time: Int64) -> Entry? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].start <= time { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? entries[low - 1] : nil
    }

    /// Keeps each label once.
    private struct LabelBuilder {
        var labels = [StageTimeline.outside]
        private var known: [[Int]: Int32] = [:]

        mutating func label(ofStage stage: Int, _ clock: StageClock) -> Int32 { label(of: [stage], clock) }

        mutating func label(of clock: StageClock) -> Int32 {
            switch clock.active.count {
            case 0: 0
            case ...StageTimeline.joinedLimit: label(of: clock.active, clock)
            // Stands for the number alone, so that the key is no stage's.
            default: label(of: [-clock.active.count], clock)
            }
        }

        private mutating func label(of key: [Int], _ clock: StageClock) -> Int32 {
            if let index = known[key] { return index }
            let text =
                key[0] < 0
                ? "(\(-key[0]) stages)" : key.map { clock.stages[$0].name.text }.joined(separator: "+")
            labels.append(text)
            known[key] = Int32(labels.count - 1)
            return Int32(labels.count - 1)
        }
    }
}
