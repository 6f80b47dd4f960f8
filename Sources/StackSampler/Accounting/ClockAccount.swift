/// CPU time by the kernel's clocks beside CPU time by samples, of each process of the target. Pure; used by one thread.
///
/// The kernel reports a process's time while it lives (its CPU clock) and that of each thread at its end (the count of an
/// inherited event). What samples do not stand for is missing, and becomes due under the name of the command, near the
/// moment at which it was missed: so it falls into the right stage.
struct ClockAccount {
    /// Time that no sample stands for.
    struct Missing: Equatable {
        var monotonicNanoseconds: Int64
        var processID: Int32
        var name: String
        /// In whole periods.
        var weight: Int64
    }

    private struct Process {
        /// What its clock showed when it came into view.
        var base: Int64 = 0
        /// Its clock since then, as last read; and the counts of its threads that have ended.
        var seen: Int64 = 0
        var left: Int64 = 0
        var samples: Int64 = 0
        var counted: Int64 { max(seen, left) }
        /// What of both has been given to its command already.
        var settledCount: Int64 = 0
        var settledSamples: Int64 = 0
        /// What it was called at the end of a thread: nothing else may know it by the time that it is settled.
        var lastName: String?
    }

    private struct Command {
        var counted: Int64 = 0
        var sampled: Int64 = 0
        /// What has become due of `counted - sampled`.
        var due: Int64 = 0
    }

    private let period: Int64
    private var processes: [Int32: Process] = [:]
    private var commands: [String: Command] = [:]
    private var changed: Set<Int32> = []
    private var missing: [Missing] = []
    /// Samples of processes that ended without a word of their clocks.
    private var samplesWithoutClock: Int64 = 0

    /// The most commands distinguished, and the most moments kept.
    private static let mostCommands = 4096
    private static let mostMoments = 1 << 17
    private static let otherCommands = "other commands"

    init(periodNanoseconds: Int64) { period = max(1, periodNanoseconds) }

    /// Processes whose clocks are worth reading.
    var known: [Int32] { Array(processes.keys) }

    /// A process that has used some time already, which does not count.
    mutating func begin(_ processID: Int32, clock: Int64) {
        processes[processID] = Process(base: clock)
    }

    /// A process that begins now: its number may have belonged to another one, which is settled first.
    mutating func fork(_ processID: Int32, nameOfFormer: String, at time: Int64) {
        end(processID, name: nameOfFormer, at: time)
        processes[processID] = Process()
    }

    mutating func sample(_ processID: Int32, weight: Int64 = 1) {
        processes[processID, default: Process()].samples += weight
        changed.insert(processID)
    }

    /// The name under which a process, of which a thread is ending, is settled.
    mutating func name(_ processID: Int32, _ name: String) {
        processes[processID]?.lastName = name
    }

    /// The count that a thread has left behind.
    mutating func leave(_ processID: Int32, nanoseconds: Int64) {
        processes[processID, default: Process()].left += nanoseconds
        changed.insert(processID)
    }

    /// Time of a command that no process's clock has shown.
    mutating func add(_ nanoseconds: Int64, of name: String) {
        guard nanoseconds > 0 else { return }
        commands[key(of: name), default: Command()].counted += nanoseconds
    }

    /// A process's clock.
    mutating func see(_ processID: Int32, clock: Int64) {
        guard var process = processes[processID] else { return }
        process.seen = max(process.seen, clock - process.base)
        processes[processID] = process
        changed.insert(processID)
    }

    /// Settles the processes of which something has become known.
    mutating func settle(at time: Int64, name: (Int32) -> String) {
        var nameless: Set<Int32> = []
        for processID in changed {
            let name = name(processID)
            if name.isEmpty {
                // It has not begun its program yet, and is settled under the name that it will have.
                nameless.insert(processID)
            } else {
                settle(processID, name: name, at: time)
            }
        }
        changed = nameless
    }

    /// Settles a process for the last time and forgets it.
    mutating func end(_ processID: Int32, name: String, at time: Int64) {
        settle(processID, name: name, at: time)
        changed.remove(processID)
        guard let process = processes.removeValue(forKey: processID) else { return }
        samplesWithoutClock += process.samples - process.settledSamples
    }

    /// The name under which a command is counted.
    private func key(of name: String) -> String {
        commands[name] != nil || commands.count < Self.mostCommands ? name : Self.otherCommands
    }

    private mutating func settle(_ processID: Int32, name: String, at time: Int64) {
        // Without a word of its clock yet: what was sampled of it then has nothing to be held against.
        guard var process = processes[processID], process.counted > 0 else { return }
        let name = process.lastName.flatMap { $0.isEmpty ? nil : $0 } ?? name
        let key = key(of: name)
        var command = commands[key] ?? Command()
        command.counted += process.counted - process.settledCount
        command.sampled += (process.samples - process.settledSamples) * period
        process.settledCount = process.counted
        process.settledSamples = process.samples
        processes[processID] = process
        // The newest samples are still on their way: only what exceeds them is due.
        let open = command.counted - command.sampled - command.due
        if open >= 2 * period {
            let weight = open / period
            command.due += weight * period
            add(
                Missing(
                    monotonicNanoseconds: time, processID: processID, name: key, weight: weight))
        }
        commands[key] = command
    }

    private mutating func add(_ moment: Missing) {
        if let last = missing.last, last.name == moment.name,
            moment.monotonicNanoseconds - last.monotonicNanoseconds < 100_000_000
        {
            missing[missing.count - 1].weight += moment.weight
        } else if missing.count < Self.mostMoments {
            missing.append(moment)
        } else {
            missing[missing.count - 1].weight += moment.weight
        }
    }

    /// What the whole comes to.
    struct Outcome: Equatable {
        var counted: Int64
        var sampled: Int64
        /// What is missing, where it is more than chance.
        var missing: [Missing]
    }

    /// Closes the account.
    ///
    /// - Parameters:
    ///   - total: The time of the whole target by a counter that misses no thread, where there is one.
    ///   - root: The target's first process with its name: what the total knows of and no process does is put down to it.
    ///   - isUnbiased: Whether samples miss time by chance alone, so that only more than chance is missing.
    mutating func close(
        total: Int64?, root: (processID: Int32, name: String), at time: Int64, isUnbiased: Bool,
        name: (Int32) -> String
    ) -> Outcome {
        for processID in known { end(processID, name: name(processID), at: time) }
        let clocked = commands.values.reduce(0) { $0 + $1.counted }
        let rest = (total ?? 0) - clocked
        if rest > 0 || samplesWithoutClock > 0 {
            var command = commands[root.name] ?? Command()
            command.counted += max(rest, total == nil ? samplesWithoutClock * period : 0)
            command.sampled += samplesWithoutClock * period
            commands[root.name] = command
        }
        var outcome = Outcome(counted: 0, sampled: 0, missing: [])
        for (name, command) in commands.sorted(by: { $0.key < $1.key }) {
            outcome.counted += command.counted
            outcome.sampled += command.sampled
            outcome.missing += missing(of: name, command, root, at: time, isUnbiased: isUnbiased)
        }
        outcome.missing.sort { $0.monotonicNanoseconds < $1.monotonicNanoseconds }
        return outcome
    }

    /// From how large a share of a command's time on what is missing of it is shown.
    ///
    /// The host of a virtual machine may take as much of its time: the kernel's clocks hold that, and no sample.
    private static let tellingShare = 0.02

    private func missing(
        of name: String, _ command: Command, _ root: (processID: Int32, name: String), at time: Int64,
        isUnbiased: Bool
    ) -> [Missing] {
        let absent = command.counted - command.sampled
        // Of short tasks each sample is a matter of chance: three standard deviations of their number.
        let periods = Double(max(0, command.counted)) / Double(period)
        let chance = isUnbiased ? 3 * periods.squareRoot() + 2 : 2
        guard Double(absent) > chance * Double(period),
            Double(absent) >= Self.tellingShare * Double(command.counted)
        else { return [] }
        let wanted = (absent + period / 2) / period
        let moments = missing.filter { $0.name == name }
        let due = moments.reduce(0) { $0 + $1.weight }
        guard due > 0 else {
            return [
                Missing(monotonicNanoseconds: time, processID: root.processID, name: name, weight: wanted)
            ]
        }
        // What became due in between may have been made good later: all of it, in proportion.
        var given: Int64 = 0
        var passed: Int64 = 0
        return moments.compactMap { moment in
            passed += moment.weight
            let upTo = Int64(Double(wanted) * Double(passed) / Double(due) + 0.5)
            defer { given = upTo }
            guard upTo > given else { return nil }
            var share = moment
            share.weight = upTo - given
            return share
        }
    }
}
