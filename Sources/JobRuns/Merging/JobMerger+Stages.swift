internal import LiveMonitor
internal import Measurement
internal import Metrics
internal import Stages

extension JobMerger {
    /// The stages of all tasks, in order of first entry.
    func stages() -> [MonitorReport.Stage] {
        var order: [StageName] = []
        let begins = parts.flatMap(\.report.transitions).filter(\.isBegin)
            .sorted { $0.monotonicNanoseconds < $1.monotonicNanoseconds }
        var seen: Set<StageName> = []
        for stage in begins.map(\.stage) + parts.flatMap(\.report.stages).map(\.name)
        where seen.insert(stage).inserted {
            order.append(stage)
        }
        let byName = parts.map { part in
            Dictionary(part.report.stages.map { ($0.name, $0) }) { first, _ in first }
        }
        return order.compactMap { name in
            merged(zip(parts, byName).compactMap { part, stages in stages[name].map { (part, $0) } })
        }
    }

    private func merged(_ shares: [(part: Part, stage: MonitorReport.Stage)]) -> MonitorReport.Stage? {
        guard var stage = shares.first?.stage else { return nil }
        let name = stage.name
        stage.entered = shares.reduce(0) { $0 + $1.stage.entered }
        stage.isShared = shares.contains { $0.stage.isShared }
        if shares.count > 1 {
            stage.wall = union(shares)
            stage.work = sum(shares.map(\.stage.work))
            stage.cpu = sum(shares.map(\.stage.cpu))
            stage.usage = usage(shares.map(\.stage.usage))
            // The weakest of the sources says how far the edges can be trusted.
            let sources: [MonitorReport.Source] = [.statusFile, .statusHistory, .eventTrace]
            stage.source =
                sources.first { source in shares.contains { $0.stage.source == source } } ?? stage.source
        }
        (stage.peakResident, stage.peakMethod) = peak(
            shares.map { share in
                Share(
                    part: share.part, peak: share.stage.peakResident, method: share.stage.peakMethod,
                    open: share.part.spans[name] ?? OpenSpans())
            })
        if let lost = lost.first(where: { $0.namedStages.contains(name) }) {
            let reason =
                "task \(lost.header.name) on \(lost.header.node) had a part in it and left no account"
            stage.wall = .unavailable(reason: reason)
            stage.work = .unavailable(reason: reason)
            stage.cpu = .unavailable(reason: reason)
        }
        stage.averageCPUPercent = percent(stage.cpu, of: stage.wall)
        return stage
    }

    /// The time for which the stage was open in any task.
    private func union(_ shares: [(part: Part, stage: MonitorReport.Stage)]) -> Reading<Duration> {
        var open = OpenSpans()
        for (part, stage) in shares {
            guard case .value(let wall) = stage.wall else { return stage.wall }
            let own = part.spans[stage.name] ?? OpenSpans()
            if part.report.droppedTransitions > 0 || (own.spans.isEmpty && wall > .zero) {
                return .unavailable(
                    reason: "when it was open in task \(part.header.name) is not wholly known")
            }
            open = open.union(own)
        }
        return .value(Duration(nanosecondCount: open.length))
    }

    /// The memory of one task, and when it had that.
    struct Share {
        var part: Part
        var peak: Reading<ByteCount>
        var method: MonitorReport.PeakMethod?
        var open: OpenSpans
    }

    /// The largest node's memory. Of tasks that were at work on it at the same time the sum, which their peaks bound.
    func peak(
        _ shares: [Share]
    ) -> (Reading<ByteCount>, MonitorReport.PeakMethod?) {
        let byNode = Dictionary(grouping: shares) { $0.part.header.node }
        var largest: (Reading<ByteCount>, MonitorReport.PeakMethod?)?
        for node in byNode.keys.sorted() {
            let own = ofNode(byNode[node] ?? [])
            guard case .value(let size) = own.0 else { return own }
            if let value = largest?.0.value, value >= size { continue }
            largest = own
        }
        return largest ?? (.unavailable(reason: "no task was at work in it"), nil)
    }

    private func ofNode(
        _ shares: [Share]
    ) -> (Reading<ByteCount>, MonitorReport.PeakMethod?) {
        var edges: [(moment: Int64, isBegin: Bool, index: Int)] = []
        var sizes: [Int64] = []
        for (index, share) in shares.enumerated() {
            guard case .value(let size) = share.peak else { return (share.peak, nil) }
            sizes.append(size.bytes)
            // A stage too short to be seen was there for a moment.
            let spans = share.open.spans.isEmpty ? [share.part.life] : share.open.spans
            for span in spans { edges += [(span.lowerBound, true, index), (span.upperBound, false, index)] }
        }
        // An end comes before a begin of the same moment.
        edges.sort { ($0.moment, $0.isBegin ? 1 : 0) < ($1.moment, $1.isBegin ? 1 : 0) }
        var open: Set<Int> = []
        var largest: Set<Int> = []
        var most: Int64 = -1
        for edge in edges {
            if edge.isBegin { open.insert(edge.index) } else { open.remove(edge.index) }
            let sum = open.reduce(0) { $0 + sizes[$1] }
            if sum > most { (most, largest) = (sum, open) }
        }
        guard most >= 0 else { return (.unavailable(reason: "no task was at work in it"), nil) }
        let methods = largest.map { shares[$0].method ?? .sampled }
        let method: MonitorReport.PeakMethod =
            methods.contains(.sampled)
            ? .sampled
            : methods.contains(.atLeast) ? .atLeast : largest.count > 1 ? .atMost : .highWaterMark
        return (.value(ByteCount(bytes: most)), method)
    }

    func sum(_ readings: [Reading<Duration>]) -> Reading<Duration> {
        readings.dropFirst().reduce(readings.first ?? .value(.zero)) { sum, next in
            sum.flatMap { sum in next.map { sum + $0 } }
        }
    }

    /// Each metric as it adds up; unavailable where a task has none.
    func usage(_ shares: [MetricReadings]) -> MetricReadings {
        var merged = MetricReadings()
        for metric in Set(shares.flatMap(\.metrics)) {
            let readings = shares.map { $0[metric] }
            merged[metric] = readings.dropFirst().reduce(readings[0]) { left, right in
                left.flatMap { left in
                    right.map { metric.definition.aggregation == .sum ? left + $0 : max(left, $0) }
                }
            }
        }
        return merged
    }

    func percent(_ cpu: Reading<Duration>, of wall: Reading<Duration>) -> Reading<Double> {
        wall.flatMap { wall in
            guard wall > .microseconds(1) else { return .unavailable(reason: "it took no time") }
            return cpu.map { $0.inSeconds / wall.inSeconds * 100 }
        }
    }
}
