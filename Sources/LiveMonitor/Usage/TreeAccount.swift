internal import LinuxProcess
internal import Measurement

/// One process of the tree at one moment.
struct ProcessReading: Equatable {
    var identity: ProcessIdentity
    var parent: Int32
    /// CPU time of its own threads, in nanoseconds.
    var ownCPU: Int64
    /// CPU time of the children it has waited for, in nanoseconds, a multiple of 10 ms.
    var childrenCPU: Int64
    /// Nil once it has ended.
    var memory: ProcessMemory?
    /// Whether only its entry is left, for who started it to read.
    var hasEnded = false
    /// Page faults of its own and of the children it has waited for: what shows whether a child was waited for.
    var ownFaults: Int64 = 0
    var childrenFaults: Int64 = 0
    /// What it and the children it has waited for have used, of the kinds that are inherited.
    var usage = UsageCounts()

    var allCPU: Int64 { ownCPU + childrenCPU }
}

/// Adds up what a tree of processes uses that come and go, counting each nanosecond once.
///
/// A process that has been waited for moves from its own counts into its parent's children counts. One whose parent
/// never waits (it ignores SIGCHLD, or has ended itself) moves nowhere: what was seen of it is kept here.
struct TreeAccount {
    private var last: [Int32: ProcessReading] = [:]
    private var departed: Int64 = 0
    /// CPU time of ended processes that no process of the tree has waited for, by the uppermost ancestor that was known.
    private var leftByRoot: [Int32: Int64] = [:]
    private static let mostRoots = 1024
    private var departedUsage = UsageCounts()
    private(set) var total: Int64 = 0
    private(set) var usage = UsageCounts()
    /// CPU time of the living processes and the children they have waited for.
    private(set) var living: Int64 = 0
    /// Page faults of the children that the living processes have waited for: they grow when a child ends.
    var waitedFaults: Int64 { last.values.reduce(0) { $0 + $1.childrenFaults } }
    /// How much CPU time may be hidden by the ticks in which children's time is reported.
    private(set) var hidden: Int64 = 0

    /// Children time is reported in whole ticks, user and system apart: two ticks of 10 ms may be cut off.
    static let tickTruncation: Int64 = 20_000_000

    /// CPU time of a process and the children it has waited for, nil when it is not in the tree.
    func cpu(of pid: Int32) -> Int64? { last[pid]?.allCPU }

    /// Takes in what the tree looks like now.
    mutating func update(_ readings: [ProcessReading]) {
        var now: [Int32: ProcessReading] = [:]
        now.reserveCapacity(readings.count)
        for reading in readings { now[reading.identity.pid] = reading }
        var missing: [Int32: Legacy] = [:]
        for gone in last.values where now[gone.identity.pid]?.identity != gone.identity {
            if let ancestor = livingAncestor(of: gone, in: now) {
                missing[ancestor, default: Legacy()].add(gone)
            } else {
                if leftByRoot.count >= Self.mostRoots { leftByRoot.removeAll() }
                leftByRoot[root(of: gone), default: 0] += gone.allCPU
                departed += gone.allCPU
                departedUsage = departedUsage + gone.usage
            }
        }
        for (ancestor, legacy) in missing { settle(legacy, before: last[ancestor], now: now[ancestor]) }
        last = now
        living = now.values.reduce(0) { $0 + $1.allCPU }
        hidden = now.values.reduce(0) { $0 + ($1.childrenFaults > 0 ? Self.tickTruncation : 0) }
        // Truncation to ticks may make the sum step back a little; CPU time does not.
        total = max(total, departed + living)
        usage = .larger(usage, now.values.reduce(departedUsage) { $0 + $1.usage })
    }

    /// A process has another parent now, whose children's time is not of the tree.
    mutating func adopt(_ pid: Int32, by parent: Int32) { last[pid]?.parent = parent }

    /// Takes in the whole CPU time of a process that no process of the tree has waited for, with the children that it had
    /// waited for itself: what was not seen of it is added.
    mutating func settle(orphan pid: Int32, cpu: Int64) {
        let seen = last.values.reduce(leftByRoot.removeValue(forKey: pid) ?? 0) {
            $0 + (root(of: $1) == pid ? $1.allCPU : 0)
        }
        let unseen = max(0, cpu - seen)
        departed += unseen
        total += unseen
    }

    /// The uppermost ancestor that is known.
    private func root(of process: ProcessReading) -> Int32 {
        var top = process
        for _ in 0...last.count {
            guard let parent = last[top.parent] else { break }
            top = parent
        }
        return top.identity.pid
    }

    /// What processes that are gone leave to one ancestor.
    private struct Legacy {
        var cpu: Int64 = 0
        var faults: Int64 = 0
        var usage = UsageCounts()

        mutating func add(_ process: ProcessReading) {
            cpu += process.allCPU
            faults += process.ownFaults + process.childrenFaults
            usage = usage + process.usage
        }
    }

    /// Keeps what an ancestor has not got.
    private mutating func settle(_ legacy: Legacy, before: ProcessReading?, now: ProcessReading?) {
        let inherited = (now?.childrenCPU ?? 0) - (before?.childrenCPU ?? 0)
        if legacy.cpu - inherited > Self.tickTruncation { departed += legacy.cpu - inherited }
        // Every process has had page faults, and they are reported to the last one: those of a child that was waited for
        // are among its parent's now.
        guard legacy.faults > 0 else { return }
        let grown = (now?.childrenFaults ?? 0) - (before?.childrenFaults ?? 0)
        let lost = 1 - min(1, Double(max(0, grown)) / Double(legacy.faults))
        if lost > 0 { departedUsage = departedUsage + legacy.usage.scaled(by: lost) }
    }

    private func livingAncestor(of process: ProcessReading, in now: [Int32: ProcessReading]) -> Int32? {
        var parent = process.parent
        // As many steps as there are processes, in case the parents went in a circle.
        for _ in 0...last.count {
            guard let known = last[parent] else { return nil }
            if now[parent]?.identity == known.identity { return parent }
            parent = known.parent
        }
        return nil
    }
}

/// What the kernel reports of the single threads of a process, and forgets with them: context switches and the time spent
/// waiting for a processor.
struct ThreadCounts {
    private struct Thread {
        var run: Int64 = -1
        var counts = UsageCounts()
    }

    private var threads: [Int32: Thread] = [:]

    /// The most threads of a process that are followed: each is remembered.
    static let maximumThreads = 4096

    /// Takes in what the threads show now; what has been added since the last time.
    ///
    /// - Parameters:
    ///   - identifiers: The threads that there are; others are forgotten.
    ///   - schedule: How long one has run and waited.
    ///   - switches: Its switches; asked for only if it has run since it was last looked at.
    mutating func update(
        _ identifiers: [Int32], schedule: (Int32) -> ThreadSchedule?, switches: (Int32) -> ContextSwitches?
    ) -> UsageCounts {
        var added = UsageCounts()
        var living: [Int32: Thread] = [:]
        for identifier in identifiers.prefix(Self.maximumThreads) {
            var known = threads[identifier] ?? Thread()
            let schedule = schedule(identifier)
            let run = schedule?.runNanoseconds ?? 0
            // A number that has gone backwards is another thread's.
            if run < known.run { known = Thread() }
            // Where the kernel does not say how long it has run, it may have.
            if run > known.run || run == 0, let switches = switches(identifier) {
                known.run = run
                var seen = UsageCounts()
                seen[.runQueueWait] = schedule?.waitNanoseconds ?? 0
                seen[.voluntarySwitches] = switches.voluntary
                seen[.involuntarySwitches] = switches.involuntary
                seen = .larger(seen, known.counts)
                added = added + (seen - known.counts)
                known.counts = seen
            }
            living[identifier] = known
        }
        threads = living
        return added
    }
}

/// Finds the CPU time of a tree to less than a tick, between the account's sum and what the ticks may hide, by a
/// clock that also runs for processes that have ended.
///
/// The clock neither starts nor goes exactly like the account (see `TreeCounter`): so it only shows where between the
/// two bounds the truth is, and is set anew whenever it would leave them. Then it has shown to be wrong, mostly slow, and
/// what brought that to light is that one of the two parts, user and system, has come to a full tick: the other one hides
/// half a tick on average, a quarter of both.
struct CPUEstimate {
    private var offset: Int64?
    private(set) var total: Int64 = 0

    /// The CPU time, given the account's sum, what may be hidden, and the clock; nil without one.
    mutating func update(sum: Int64, hidden: Int64, clock: Int64?) -> Int64 {
        var estimate = sum
        if let clock {
            let bounds = (lower: sum - clock, upper: sum + hidden - clock)
            var offset = offset ?? bounds.lower
            if offset < bounds.lower { offset = bounds.lower + hidden / 4 }
            if offset > bounds.upper { offset = bounds.upper - hidden / 4 }
            self.offset = offset
            estimate = clock + offset
        }
        total = max(total, estimate)
        return total
    }
}
