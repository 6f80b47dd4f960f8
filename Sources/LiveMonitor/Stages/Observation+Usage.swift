internal import LinuxProcess
internal import Measurement

extension Observation {
    /// What a stage has used, for the report.
    func reported(_ usage: StageUsage, _ proportional: ByteCount?) -> MonitorReport.Usage {
        func reading(_ kind: UsageKind) -> Reading<Int64> {
            if usage.unreadable.contains(kind) { return .unavailable(reason: reason(kind)) }
            if usage.seen.contains(kind) { return .value(usage.counts[kind]) }
            return .unavailable(reason: "the stage was over before its counters could be read")
        }
        return MonitorReport.Usage(
            reading, proportional.map { .value($0) } ?? .unavailable(reason: proportionalProblem))
    }

    /// The usage of a stage that the monitor has not seen.
    var unseenUsage: MonitorReport.Usage { reported(StageUsage(), nil) }

    /// What the run has used: by the word of who waited for it, else as it was seen.
    func totalUsage() -> MonitorReport.Usage {
        guard let point = lastSample?.usage else { return unseenUsage }
        func reading(_ kind: UsageKind) -> Reading<Int64> {
            if let waitedUsage, kind != .runQueueWait, kind != .instructions {
                return .value(max(waitedUsage[kind], point.readable.contains(kind) ? point.counts[kind] : 0))
            }
            return point.readable.contains(kind)
                ? .value(point.counts[kind]) : .unavailable(reason: reason(kind))
        }
        return MonitorReport.Usage(
            reading,
            largestProportional.map { .value($0) } ?? .unavailable(reason: proportionalProblem))
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

extension MonitorReport.Usage {
    fileprivate init(_ reading: (UsageKind) -> Reading<Int64>, _ proportional: Reading<ByteCount>) {
        self.init(
            diskRead: reading(.diskRead).map { ByteCount(bytes: $0) },
            diskWritten: reading(.diskWritten).map { ByteCount(bytes: $0) },
            majorFaults: reading(.majorFaults).map { Int($0) },
            voluntarySwitches: reading(.voluntarySwitches).map { Int($0) },
            involuntarySwitches: reading(.involuntarySwitches).map { Int($0) },
            runQueueWait: reading(.runQueueWait).map { Duration(nanosecondCount: $0) },
            instructions: reading(.instructions).map { Int($0) },
            proportionalResident: proportional)
    }
}

extension UsageKind {
    /// Why there is none of a kind that could not be read.
    fileprivate var unreadable: String {
        switch self {
        case .diskRead, .diskWritten: "the kernel did not let /proc/PID/io of every process be read"
        case .runQueueWait: "this kernel keeps no account of it (CONFIG_SCHED_INFO)"
        case .instructions: "the counter could not be read"
        case .majorFaults, .voluntarySwitches, .involuntarySwitches: "the process could not be read"
        }
    }
}
