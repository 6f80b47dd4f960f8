internal import LiveMonitor
internal import Measurement
internal import Metrics

extension JobMerger {
    /// What each node had of the run.
    func nodes() -> [JobRun.Node] {
        let byNode = Dictionary(grouping: parts) { $0.header.node }
        let lostByNode = Dictionary(grouping: lost) { $0.header.node }
        return Set(byNode.keys).union(lostByNode.keys).sorted().map { name in
            node(name, own: byNode[name] ?? [], lost: lostByNode[name] ?? [])
        }
    }

    private func node(_ name: String, own: [Part], lost: [TaskRecord]) -> JobRun.Node {
        let header = own.first?.header ?? lost.first?.header
        let isOwn = own.first?.isOwn ?? false
        let clock: NodeClock? = isOwn ? .ours : header.flatMap { clocks[$0.began.clock] }
        let lives = own.map { part in
            let totals = part.report.totals
            return Share(
                part: part, peak: totals.peakResident, method: totals.peakMethod, open: OpenSpans([part.life])
            )
        }
        var (size, method) = peak(lives)
        var cpu = sum(own.map(\.report.totals.cpu))
        if let first = lost.first {
            let reason = "task \(first.header.name) left no account"
            cpu = .unavailable(reason: reason)
            size = .unavailable(reason: reason)
            method = nil
        }
        return JobRun.Node(
            name: name, host: header?.host ?? name, tasks: own.count { !$0.isOwn } + lost.count, cpu: cpu,
            peakResident: size, peakMethod: method, clockAhead: clock?.ahead, clockBound: clock?.bound,
            wallClockAhead: clock?.wallClockAhead)
    }

    /// The whole run.
    func totals(_ nodes: [JobRun.Node]) -> MonitorReport.Totals {
        var totals = parts[0].report.totals
        totals.wall = .value(Duration(nanosecondCount: span.upperBound - span.lowerBound))
        totals.cpu = reasonForLoss.map { .unavailable(reason: $0) } ?? sum(parts.map(\.report.totals.cpu))
        totals.usage = usage(parts.map(\.report.totals.usage))
        totals.peakResident = nodes.first.map(\.peakResident) ?? totals.peakResident
        totals.peakMethod = nodes.first?.peakMethod
        for node in nodes.dropFirst() {
            guard let most = totals.peakResident.value else { break }
            guard let size = node.peakResident.value else {
                totals.peakResident = node.peakResident
                totals.peakMethod = nil
                break
            }
            if size > most { (totals.peakResident, totals.peakMethod) = (node.peakResident, node.peakMethod) }
        }
        totals.averageCPUPercent = percent(totals.cpu, of: totals.wall)
        return totals
    }

    /// Sentences about the whole.
    func notes(_ nodes: [JobRun.Node]) -> [String] {
        let count = "\(tasks.count) \(tasks.count == 1 ? "task" : "tasks")"
        let places = "\(nodes.count) \(nodes.count == 1 ? "node" : "nodes")"
        var notes = [
            "The run is made of the accounts of \(count) on \(places): stages are the union of their spans, CPU time is their sum, "
                + "memory that of the largest node."
        ]
        if let reasonForLoss {
            notes.append("What the run used is not wholly known, because \(reasonForLoss).")
        }
        for node in nodes {
            if let ahead = node.wallClockAhead, ahead.inSeconds.magnitude >= 1 {
                let word = ahead > .zero ? "ahead of" : "behind"
                notes.append(
                    "The wall clock of node \(node.name) is \(Self.magnitude(ahead).readable) \(word) this machine's. Stages do not depend "
                        + "on it: moments are compared by round trips to the node.")
            }
            if node.clockAhead != nil, node.clockBound == nil {
                notes.append(
                    "The clock of node \(node.name) could not be asked: its moments are placed by its wall clock, and by how much they are "
                        + "off is not known.")
            }
        }
        return notes
    }

    private static func magnitude(_ duration: Duration) -> Duration {
        duration < .zero ? .zero - duration : duration
    }
}
