internal import Measurement

extension SessionBoard {
    /// How far the capture is: `3 of 8 sessions made, 4 run (n1, n2, n3, n4), 1 waits (Resources), about 2:30 left`.
    public var sentence: String {
        guard let left, left >= .seconds(1) else { return counts }
        return "\(counts), about \(left.readable) left"
    }

    /// The same without the time: it changes when a session does.
    public var counts: String {
        let made = statuses.values.count { $0.isMade }
        var parts = ["\(made) of \(statuses.count) sessions made"]
        let nodes = slots { if case .running = $0 { true } else { false } }.map { slot -> String in
            guard case .running(_, let node, _)? = statuses[slot] else { return "?" }
            return node ?? "?"
        }
        if !nodes.isEmpty { parts.append("\(verb(nodes.count, "run")) (\(list(nodes)))") }
        let reasons = statuses.values.compactMap { status -> String? in
            if case .waiting(_, let reason) = status { reason ?? "its turn" } else { nil }
        }
        if !reasons.isEmpty { parts.append("\(verb(reasons.count, "wait")) (\(list(reasons)))") }
        let unsettled = statuses.values.count { if case .unsettled = $0 { true } else { false } }
        if unsettled > 0 { parts.append("of \(unsettled) the result is awaited") }
        let failed = statuses.values.count { if case .failed = $0 { true } else { false } }
        if failed > 0 { parts.append("\(failed) failed") }
        let lost = statuses.values.count { if case .endedBySlurm = $0 { true } else { false } }
        if lost > 0 { parts.append("\(lost) ended by Slurm") }
        return parts.joined(separator: ", ")
    }

    /// How long it will take by the sessions made so far: those that run to their end, then the waiting ones in turns of as
    /// many as run now. Nil before the first session is made, and while nothing runs, because the start is not known then.
    public var left: Duration? {
        let durations = statuses.values.compactMap { status -> Duration? in
            if case .made(_, let result) = status { result.duration } else { nil }
        }.sorted()
        let running = statuses.values.compactMap { status -> Duration? in
            if case .running(_, _, let elapsed) = status { elapsed ?? .zero } else { nil }
        }
        guard !durations.isEmpty, !running.isEmpty else { return nil }
        let one = durations[durations.count / 2]
        let waiting = statuses.values.count { if case .waiting = $0 { true } else { false } }
        let turns = (waiting + running.count - 1) / running.count
        let current = running.map { max(.zero, one - $0) }.max() ?? .zero
        return current + one * turns
    }

    private func verb(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "s" : "")" }

    /// Each word once, at most eight of them.
    private func list(_ words: [String]) -> String {
        var seen: [String] = []
        for word in words where !seen.contains(word) { seen.append(word) }
        return seen.prefix(8).joined(separator: ", ") + (seen.count > 8 ? ", ..." : "")
    }
}
