internal import Measurement
internal import Stages

/// Which stages were open after each edge of a counted run, and which of them a thread worked for. Pure.
///
/// The event trace is believed where there is one, else the status file: as in measured runs.
struct StageEpochs {
    /// A thread at some edge: of the run's process, or of one that it descends from.
    struct Ancestor: Hashable {
        var thread: Int32
        /// The newest edge when it made its child.
        var epoch: UInt64
    }

    private struct Span: Equatable {
        var stage: StageName
        var thread: Int32?
        var begin: UInt64
    }

    private struct State {
        var epoch: UInt64
        var open: [Span]
    }

    private var states: [State] = []
    /// Stages in order of first entry.
    private(set) var stages: [StageName] = []
    /// Stages that were open at the same time as others.
    private(set) var shared: Set<StageName> = []
    /// How often each was entered.
    private(set) var entries: [StageName: Int] = [:]

    init(_ notes: CountNotes) {
        let hasTrace = notes.notes.contains { $0.kind == .event }
        var open: [Span] = []
        for note in notes.notes {
            switch note.kind {
            case .event:
                for line in note.content.split(separator: UInt8(ascii: "\n")) {
                    guard let event = StageEvent.parse(Array(line)) else { continue }
                    apply(event, of: note, to: &open)
                }
            case .status where !hasTrace:
                guard let active = Self.active(note.content) else { continue }
                open.removeAll { !active.contains($0.stage) }
                for stage in active where !open.contains(where: { $0.stage == stage }) {
                    open.append(Span(stage: stage, thread: nil, begin: note.epoch))
                    enter(stage)
                }
            case .status, .uncounted: continue
            }
            if Set(open.map(\.stage)).count > 1 { shared.formUnion(open.map(\.stage)) }
            states.append(State(epoch: note.epoch, open: open))
        }
    }

    private mutating func apply(_ event: StageEvent, of note: CountNotes.Note, to open: inout [Span]) {
        let thread = event.threadID ?? note.thread
        if event.isBegin {
            guard event.stage != .done else { return }
            open.append(Span(stage: event.stage, thread: thread, begin: note.epoch))
            enter(event.stage)
        } else if let index = open.firstIndex(where: { $0.stage == event.stage && $0.thread == thread })
            ?? open.firstIndex(where: { $0.stage == event.stage })
        {
            open.remove(at: index)
        }
    }

    private mutating func enter(_ stage: StageName) {
        if !stages.contains(stage) { stages.append(stage) }
        entries[stage, default: 0] += 1
    }

    private static func active(_ content: [UInt8]) -> [StageName]? {
        do throws(StatusSnapshot.Problem) {
            let status = try StatusSnapshot.parse(content)
            return (status.activeStages ?? [status.stage]).filter { $0 != .done }
        } catch {
            // A status that nobody can read changes nothing, here as in the live view.
            return nil
        }
    }

    /// The stages a thread worked for after an edge: none between stages, several when nothing tells them apart.
    ///
    /// The innermost span that the thread itself has open; else that of the thread which made its process, and so on
    /// upwards, while it is still open; else all that are open.
    func stages(of thread: Int32, at epoch: UInt64, ancestors: [Ancestor]) -> [StageName] {
        guard let state = state(at: epoch), !state.open.isEmpty else { return [] }
        if let own = state.open.last(where: { $0.thread == thread }) { return [own.stage] }
        for ancestor in ancestors {
            let then = self.state(at: ancestor.epoch)?.open.last { $0.thread == ancestor.thread }
            if let then, state.open.contains(then) { return [then.stage] }
        }
        var names: [StageName] = []
        for span in state.open where !names.contains(span.stage) { names.append(span.stage) }
        return names
    }

    private func state(at epoch: UInt64) -> State? {
        var low = 0
        var high = states.count
        while low < high {
            let middle = (low + high) / 2
            if states[middle].epoch <= epoch { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? states[low - 1] : nil
    }
}
