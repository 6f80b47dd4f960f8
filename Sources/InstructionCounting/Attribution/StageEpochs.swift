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
        var begin: Int64
    }

    private struct State {
        var epoch: UInt64
        var open: [Span]
    }

    private var states: [State] = []
    /// Edges take the place of moments.
    private var clock = StageClock()

    /// Stages in order of first entry.
    var stages: [StageName] { clock.stages.map(\.name) }
    /// Stages that were open at the same time as others.
    var shared: Set<StageName> { Set(clock.stages.filter(\.isShared).map(\.name)) }
    /// How often a stage was entered.
    func entries(of stage: StageName) -> Int { clock.index(of: stage).map { clock.stages[$0].entered } ?? 0 }

    init(_ notes: CountNotes) {
        let hasTrace = notes.notes.contains { $0.kind == .event }
        for note in notes.notes {
            let moment = Int64(clamping: note.epoch)
            switch note.kind {
            case .event:
                for line in note.content.split(separator: UInt8(ascii: "\n")) {
                    guard var event = StageEvent.parse(Array(line), moment: { _ in moment }) else { continue }
                    event.monotonicNanoseconds = moment
                    _ = clock.apply(event)
                }
            case .status where !hasTrace:
                guard let active = Self.active(note.content) else { continue }
                for stage in clock.activeNames where !active.contains(stage) {
                    _ = clock.apply(StageEvent(.end, stage, at: moment))
                }
                for stage in active where !clock.activeNames.contains(stage) {
                    _ = clock.apply(StageEvent(.begin, stage, at: moment))
                }
            case .status, .uncounted: continue
            }
            let open = clock.spans.map { span in
                Span(stage: clock.stages[span.stage].name, thread: span.threadID, begin: span.start)
            }
            states.append(State(epoch: note.epoch, open: open))
        }
    }

    private static func active(_ content: [UInt8]) -> [StageName]? {
        do throws(StatusSnapshot.Problem) {
            let status = try StatusSnapshot.parse(content)
            return (status.activeStages ?? [status.stage]).filter { $0 != .done }
        } catch {
            // A status that cannot be read changes nothing, here as in the live view.
            return nil
        }
    }

    /// The stages a thread worked for after an edge: none between stages, several when nothing distinguishes them.
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

    /// The stages of a run that were open at any time from one edge to before another.
    func stages(from epoch: UInt64, before end: UInt64) -> [StageName] {
        var names: [StageName] = []
        let begin = state(at: epoch).map { [$0] } ?? []
        for state in begin + states.filter({ $0.epoch > epoch && $0.epoch < end }) {
            for span in state.open where !names.contains(span.stage) { names.append(span.stage) }
        }
        return names
    }

    /// The sets of stages of a table in its order: stages as they were entered, those that ran together after them, what no
    /// stage was open for last.
    func order(_ met: [[StageName]]) -> [[StageName]] {
        stages.map { [$0] } + met.filter { $0.count > 1 } + [[]]
    }

    /// The counts of a set of stages.
    func stage(
        _ key: [StageName], instructions: Int64, systemCalls: Reading<[String: Int64]>, lowerBound: [String]
    ) -> InstructionCounts.Stage {
        InstructionCounts.Stage(
            stage: StageName(key.map(\.text).joined(separator: "+")),
            entered: key.count == 1 ? entries(of: key[0]) : 0, instructions: instructions,
            systemCalls: systemCalls, lowerBound: lowerBound,
            isShared: key.count > 1 || key.contains { shared.contains($0) })
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
