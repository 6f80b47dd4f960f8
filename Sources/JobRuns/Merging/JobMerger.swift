internal import LinuxProcess
internal import LiveMonitor
internal import Measurement
internal import Metrics

/// Makes one run of what its tasks left. Pure.
struct JobMerger {
    /// An account of one task, its moments on our clock.
    struct Part {
        var header: TaskHeader
        var report: MonitorReport
        /// From its beginning to its end.
        var life: Range<Int64>
        var spans: [StageName: OpenSpans]
        /// By how much its moments may be off; nil where that is not known.
        var bound: Int64?
        /// Whether it is what was seen here.
        var isOwn = false
    }

    let name: String
    let own: JobRun.Own?
    let tasks: [TaskRecord]
    let clocks: [String: NodeClock]
    let parts: [Part]
    /// The whole run, by our clock.
    let span: Range<Int64>

    init?(
        name: String, own: JobRun.Own?, tasks: [TaskRecord], clocks: [String: NodeClock], wallClock: Int64
    ) {
        self.name = name
        self.own = own
        self.tasks = tasks
        var known = clocks
        for task in tasks where known[task.header.began.clock]?.isKnown != true {
            known[task.header.began.clock] = .byWallClock(task.header.began, wallClock: wallClock)
        }
        self.clocks = known
        var parts: [Part] = []
        if let own {
            parts.append(JobMerger.part(own.header, own.report, span: own.span, clock: .ours))
            parts[0].isOwn = true
        }
        for task in tasks {
            guard let report = task.report.value, let clock = known[task.header.began.clock] else { continue }
            let began = task.header.began.monotonicNanoseconds
            let end = began + (report.totals.wall.value ?? .zero).inNanoseconds
            parts.append(JobMerger.part(task.header, report, span: began..<max(began, end), clock: clock))
        }
        guard let first = parts.map(\.life.lowerBound).min(), let last = parts.map(\.life.upperBound).max()
        else { return nil }
        self.parts = parts
        span = own?.span ?? first..<last
    }

    private static func part(
        _ header: TaskHeader, _ report: MonitorReport, span: Range<Int64>, clock: NodeClock
    ) -> Part {
        var report = report
        for index in report.transitions.indices {
            report.transitions[index].monotonicNanoseconds =
                clock.here(report.transitions[index].monotonicNanoseconds).moment
            report.transitions[index].node = header.node
        }
        let (begin, early) = clock.here(span.lowerBound)
        let (end, late) = clock.here(span.upperBound)
        let bound: Int64? = if let early, let late { max(early, late) } else { nil }
        return Part(
            header: header, report: report, life: begin..<max(begin, end),
            spans: OpenSpans.byStage(report.transitions, end: end), bound: bound)
    }

    /// The run.
    func run(_ given: [String]) -> JobRun {
        let nodes = nodes()
        let bounds = parts.map(\.bound)
        let bound = bounds.contains(nil) ? nil : bounds.compactMap(\.self).max()
        let notes = given + notes(nodes)
        var report = parts[0].report
        report.name = name
        if own == nil { report.targetPID = 0 }
        report.stages = stages()
        let transitions = parts.flatMap(\.report.transitions).enumerated().sorted {
            ($0.element.monotonicNanoseconds, $0.offset) < ($1.element.monotonicNanoseconds, $1.offset)
        }.map(\.element)
        report.transitions = Array(transitions.prefix(MonitorReport.maximumTransitions))
        report.droppedTransitions =
            parts.reduce(0) { $0 + $1.report.droppedTransitions }
            + transitions.count - report.transitions.count
        report.totals = totals(nodes)
        let open = parts.reduce(OpenSpans()) { $1.spans.values.reduce($0) { $0.union($1) } }
        report.unattributed = .value(
            Duration(nanosecondCount: span.upperBound - span.lowerBound - open.clipped(to: span).length))
        report.ticks = parts.reduce(0) { $0 + $1.report.ticks }
        if own == nil {
            report.log = nil
            report.statusFile = nil
            report.exit = exit
        }
        report.highestEpisode = parts.compactMap(\.report.highestEpisode).max()
        report.lastStages = unique(parts.flatMap(\.report.lastStages))
        report.monitorCPU = parts.reduce(.zero) { $0 + $1.report.monitorCPU }
        report.notes = unique(notes + parts.flatMap(noted))
        report.stageNotes = unique(parts.flatMap(\.report.stageNotes).filter(report.notes.contains))
        return JobRun(
            report: report, nodes: nodes, tasks: tasks,
            clockBound: bound.map { Duration(nanosecondCount: $0) }, notes: notes)
    }

    /// The worst ending of a task.
    private var exit: Reading<ExitStatus> {
        let failed = parts.map(\.report.exit).first { $0.value.map { $0 != .code(0) } ?? true }
        return failed ?? parts[0].report.exit
    }

    /// The notes of a part, with its name where they are not ours; that it named no stage is no matter where others did.
    private func noted(_ part: Part) -> [String] {
        let isWithoutStages = part.report.stages.isEmpty && parts.contains { !$0.report.stages.isEmpty }
        let notes = part.report.notes.filter { !isWithoutStages || !part.report.stageNotes.contains($0) }
        guard !part.isOwn else { return notes }
        return notes.map { "Task \(part.header.name) on \(part.header.node): \($0)" }
    }

    private func unique<Item: Hashable>(_ items: [Item]) -> [Item] {
        var seen: Set<Item> = []
        return items.filter { seen.insert($0).inserted }
    }

    /// Tasks that left no account.
    var lost: [TaskRecord] { tasks.filter { $0.report.value == nil } }

    /// Why something that all tasks have a part in is not known; nil where all left an account.
    var reasonForLoss: String? {
        guard let first = lost.first else { return nil }
        return lost.count == 1
            ? "task \(first.header.name) on \(first.header.node) left no account"
            : "\(lost.count) tasks left no account, among them \(first.header.name) on \(first.header.node)"
    }
}
