internal import LinuxProcess
internal import Measurement
internal import Metrics

extension Observation {
    /// What a stage has used, for the report.
    func reported(_ usage: StageUsage, _ proportional: ByteCount?) -> MetricReadings {
        func reading(_ kind: UsageKind) -> Reading<Int64> {
            if usage.unreadable.contains(kind) { return .unavailable(reason: reason(kind)) }
            if usage.seen.contains(kind) { return .value(usage.counts[kind]) }
            return .unavailable(reason: "the stage was over before its counters could be read")
        }
        return readings(reading, proportional)
    }

    /// The usage of a stage that the monitor has not seen.
    var unseenUsage: MetricReadings { reported(StageUsage(), nil) }

    /// What the run has used: by the word of who waited for it, else as it was seen.
    func totalUsage() -> MetricReadings {
        guard let point = lastSample?.usage else { return unseenUsage }
        func reading(_ kind: UsageKind) -> Reading<Int64> {
            if let waitedUsage, kind.isToldByWait {
                return .value(max(waitedUsage[kind], point.readable.contains(kind) ? point.counts[kind] : 0))
            }
            return point.readable.contains(kind)
                ? .value(point.counts[kind]) : .unavailable(reason: reason(kind))
        }
        return readings(reading, largestProportional)
    }

    /// The readings of all counts, and of proportional memory.
    private func readings(
        _ reading: (UsageKind) -> Reading<Int64>, _ proportional: ByteCount?
    ) -> MetricReadings {
        var readings = MetricReadings()
        for kind in UsageKind.allCases { readings[kind.metric] = reading(kind).map(kind.value) }
        readings[.proportionalResident] =
            proportional.map { .value($0.mebibytes) } ?? .unavailable(reason: proportionalProblem)
        return readings
    }

    private func reason(_ kind: UsageKind) -> String {
        kind == .instructions ? instructionsProblem ?? kind.unreadable : kind.unreadable
    }

    /// A sentence when instructions are estimates.
    var multiplexNote: String? {
        guard instructionsProblem == nil, instructionsCoverage < 0.9995 else { return nil }
        return
            "Instructions are estimates: their counter was at work for \((100 * instructionsCoverage).fixed(1)) % of the "
            + "time, because others used it."
    }

    /// How much of the context switches was seen, where that is not nearly all: it says as much of the run-queue wait.
    var coverageNote: String? {
        guard let waitedUsage, let seen = lastSample?.usage.counts else { return nil }
        let all = waitedUsage[.voluntarySwitches] + waitedUsage[.involuntarySwitches]
        let known = seen[.voluntarySwitches] + seen[.involuntarySwitches]
        guard all >= 100, Double(known) < 0.95 * Double(all) else { return nil }
        let share = (Double(max(0, known)) / Double(all) * 100).fixed(0)
        return
            "The stages' context switches and run-queue wait are those of threads that could be looked at before they "
            + "ended: \(share) % of the run's switches."
    }
}
