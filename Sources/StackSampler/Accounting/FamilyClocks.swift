internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// CPU time of the target's processes by the kernel's clocks, for a sampler that looks at them from outside.
///
/// A child that ends before it is found has no sample. What it used shows in the time of the children that its parent has waited
/// for: what of that belongs to no process that was seen is missing, and is put down to the parent. Used by one thread.
struct FamilyClocks {
    private struct Member {
        var parent: Int32
        var name: String
        /// Its clock, as last read, and the time of the children that it has waited for.
        var clock: Int64
        var waited: Int64
        /// What its samples stand for that its clock has not shown yet.
        var ahead: Int64 = 0
        /// What its children used that it has waited for and that were not seen; below zero where the kernel's ticks, in which
        /// that is reported, are not full.
        var unseen: Int64 = 0
    }

    private var account: ClockAccount
    private var members: [Int32: Member] = [:]
    private let root: Int32
    private let period: Int64
    /// The number under which the children of a process are counted that were not seen.
    private static func children(of processID: Int32) -> Int32 { -processID }

    /// - Parameter isRunning: Whether the processes of the first look ran before, so that only what follows counts.
    init(root: Int32, periodNanoseconds: Int64, isRunning: Bool) {
        self.root = root
        period = periodNanoseconds
        account = ClockAccount(periodNanoseconds: periodNanoseconds)
        if isRunning {
            for processID in ProcessListing.family(of: root) { take(processID, isNew: false) }
        }
    }

    /// Counts samples of a process.
    mutating func sample(_ processID: Int32, weight: Int32) {
        account.sample(processID, weight: Int64(weight))
        members[processID]?.ahead += Int64(weight) * period
    }

    /// Reads the clocks of the processes that there are.
    mutating func look(_ present: some Collection<Int32>, at now: Int64) {
        let before = Set(members.keys)
        for processID in present { take(processID, isNew: !before.contains(processID)) }
        let ended = before.subtracting(present)
        for processID in ended { end(processID, at: now) }
        for (processID, member) in members where member.unseen > 0 {
            account.leave(Self.children(of: processID), nanoseconds: member.unseen)
            members[processID]?.unseen = 0
        }
        account.settle(at: now, name: name)
    }

    private mutating func take(_ processID: Int32, isNew: Bool) {
        guard let stat = ProcessStat.ofProcess(processID) else { return }
        let waited = stat.waitedChildrenCPU.inNanoseconds
        let clock = ProcessClock.cpu(of: processID)?.inNanoseconds
        guard var member = members[processID] else {
            account.begin(processID, clock: isNew ? 0 : clock ?? 0)
            members[processID] = Member(
                parent: stat.parent, name: stat.name, clock: clock ?? 0, waited: isNew ? 0 : waited,
                unseen: isNew ? waited : 0)
            if let clock { account.see(processID, clock: clock) }
            return
        }
        member.unseen += waited - member.waited
        member.waited = waited
        member.name = stat.name
        if let clock {
            member.ahead -= clock - member.clock
            member.clock = clock
            account.see(processID, clock: clock)
        }
        members[processID] = member
    }

    /// Settles a process that has ended: its parent has waited for it, with what it had waited for itself.
    private mutating func end(_ processID: Int32, at now: Int64) {
        guard let member = members.removeValue(forKey: processID) else { return }
        account.end(processID, name: member.name, at: now)
        account.end(Self.children(of: processID), name: member.name, at: now)
        guard var parent = members[member.parent] else { return }
        // It ran on after the last look: as far as its samples show that, it is known whose time that was.
        parent.unseen -= member.clock + member.waited
        let late = min(max(0, member.ahead), max(0, parent.unseen))
        parent.unseen -= late
        members[member.parent] = parent
        account.add(late, of: member.name)
    }

    private func name(of processID: Int32) -> String { members[abs(processID)]?.name ?? "" }

    /// Looks a last time, where what has ended may still have its entry, and closes the account.
    mutating func close(at now: Int64) -> ClockAccount.Outcome {
        look(Set(ProcessListing.family(of: root)).subtracting([CurrentProcess.pid]), at: now)
        // No more than the clocks have shown: samples of a process that had not run yet at the last look are of its children's
        // time, or of its wait for a CPU.
        var outcome = account.close(
            total: 0, root: (root, name(of: root)), at: now, isUnbiased: true, name: name)
        for index in outcome.missing.indices {
            outcome.missing[index].processID = abs(outcome.missing[index].processID)
        }
        return outcome
    }
}
