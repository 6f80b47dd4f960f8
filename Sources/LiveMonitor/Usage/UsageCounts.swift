internal import Measurement
internal import Metrics

/// What is counted of a process tree besides CPU time and memory. Every count only grows.
enum UsageKind: Int, CaseIterable {
    /// In bytes.
    case diskRead, diskWritten
    case majorFaults
    case voluntarySwitches, involuntarySwitches
    /// In nanoseconds.
    case runQueueWait
    /// In user mode.
    case instructions
    case minorFaults

    /// The metric that the count is a reading of.
    var metric: Metric {
        switch self {
        case .diskRead: .diskRead
        case .diskWritten: .diskWritten
        case .majorFaults: .majorFaults
        case .voluntarySwitches: .voluntarySwitches
        case .involuntarySwitches: .involuntarySwitches
        case .runQueueWait: .runQueueWait
        case .instructions: .instructions
        case .minorFaults: .minorFaults
        }
    }

    /// A count in the metric's unit: times are counted in nanoseconds.
    func value(of count: Int64) -> Double {
        metric.unit == .seconds ? Duration(nanosecondCount: count).inSeconds : Double(count)
    }

    /// Whether the kernel keeps it of processes that have ended: with who waited for them, or in a counter.
    var isInherited: Bool {
        switch self {
        case .diskRead, .diskWritten, .majorFaults, .minorFaults, .instructions: true
        case .voluntarySwitches, .involuntarySwitches, .runQueueWait: false
        }
    }

    /// Whether `wait4` reports it of a process that has ended and of those that it has waited for.
    var isToldByWait: Bool {
        switch self {
        case .diskRead, .diskWritten, .majorFaults, .minorFaults, .voluntarySwitches, .involuntarySwitches:
            true
        case .runQueueWait, .instructions: false
        }
    }

    /// Why there is none where it could not be read.
    var unreadable: String {
        switch self {
        case .diskRead, .diskWritten: "the kernel did not let /proc/PID/io of every process be read"
        case .runQueueWait: "this kernel keeps no account of it (CONFIG_SCHED_INFO)"
        case .instructions: "the counter could not be read"
        case .majorFaults, .minorFaults, .voluntarySwitches, .involuntarySwitches:
            "the process could not be read"
        }
    }
}

/// Some kinds of usage.
struct UsageKinds: OptionSet {
    var rawValue: UInt16

    static let all = UsageKinds(UsageKind.allCases)
    /// What the kernel keeps of processes that have ended: with who waited for them, or in a counter.
    static let inherited = UsageKinds(UsageKind.allCases.filter(\.isInherited))

    init(rawValue: UInt16) { self.rawValue = rawValue }

    init(_ kinds: [UsageKind]) { rawValue = kinds.reduce(0) { $0 | 1 << UInt16($1.rawValue) } }

    func contains(_ kind: UsageKind) -> Bool { rawValue & 1 << UInt16(kind.rawValue) != 0 }
}

/// A count of each kind.
struct UsageCounts: Equatable {
    private var values = SIMD16<Int64>(repeating: 0)

    subscript(kind: UsageKind) -> Int64 {
        get { values[kind.rawValue] }
        set { values[kind.rawValue] = newValue }
    }

    static func + (left: UsageCounts, right: UsageCounts) -> UsageCounts {
        var sum = left
        sum.values &+= right.values
        return sum
    }

    static func - (left: UsageCounts, right: UsageCounts) -> UsageCounts {
        var difference = left
        difference.values &-= right.values
        return difference
    }

    /// Of each kind the larger count.
    static func larger(_ left: UsageCounts, _ right: UsageCounts) -> UsageCounts {
        var larger = left
        larger.values.replace(with: right.values, where: right.values .> left.values)
        return larger
    }

    /// The counts of some kinds, the others zero.
    func only(_ kinds: UsageKinds) -> UsageCounts {
        var counts = UsageCounts()
        for kind in UsageKind.allCases where kinds.contains(kind) { counts[kind] = self[kind] }
        return counts
    }

    /// A share of each count.
    func scaled(by share: Double) -> UsageCounts {
        var counts = UsageCounts()
        for kind in UsageKind.allCases { counts[kind] = Int64((Double(self[kind]) * share).rounded()) }
        return counts
    }
}

/// The counts of the tree as they stood at an edge.
struct UsagePoint: Equatable {
    var counts: UsageCounts
    /// What could be read of every process.
    var readable: UsageKinds
    /// The number of the look that reported all counts, and of the one that reported only the inherited ones, which may be a
    /// later one: the word of who waited for the target.
    var look: Int
    var inheritedLook: Int

    /// Takes in the word of who waited for the target, which came after the last look.
    mutating func raiseInherited(to reported: UsageCounts) {
        counts = .larger(counts, reported.only(.inherited))
        inheritedLook += 1
    }

    /// Whether a count was reported anew since an earlier point.
    func reports(_ kind: UsageKind, since earlier: UsagePoint) -> Bool {
        (UsageKinds.inherited.contains(kind) ? inheritedLook : look)
            > (UsageKinds.inherited.contains(kind) ? earlier.inheritedLook : earlier.look)
    }
}

/// What a stage has used, as far as it is known.
struct StageUsage: Equatable {
    var counts = UsageCounts()
    /// Kinds of which at least one span was looked at.
    var seen: UsageKinds = []
    /// Kinds that could not be read in some span.
    var unreadable: UsageKinds = []

    /// Adds a span between two points.
    mutating func add(from: UsagePoint?, to: UsagePoint?) {
        guard let from, let to else {
            unreadable = .all
            return
        }
        for kind in UsageKind.allCases {
            if !from.readable.contains(kind) || !to.readable.contains(kind) {
                unreadable.formUnion(UsageKinds([kind]))
            } else if to.reports(kind, since: from) {
                counts[kind] += max(0, to.counts[kind] - from.counts[kind])
                seen.formUnion(UsageKinds([kind]))
            }
        }
    }
}
