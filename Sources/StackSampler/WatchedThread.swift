internal import CPtrace

/// What is known of one thread of the target between its samples. Used by one thread only.
final class WatchedThread {
    let processID: Int32
    let threadID: Int32
    /// When we first saw it, on the monotonic clock, and how long it has stood still for us since.
    let firstSeen: Int64
    var stopped: Int64 = 0
    /// Moments of the schedule that no sample stands for yet.
    var due: Int32 = 0
    /// Set while an attempt to stop it is under way: when it was last seen not to have stopped.
    var pendingSince: Int64?
    var isPending: Bool { pendingSince != nil }
    /// Set while it is waited for that it runs on and is seen doing so.
    var glimpse: RunningGlimpse?
    var hasEnded = false
    /// At how many looks in a row it had not run since the one before. One that was never looked at may as well rest.
    var restedLooks = restingLooks

    /// Whether it rests: it had not run at several looks, or was never looked at.
    var isResting: Bool { restedLooks >= Self.restingLooks }
    private static let restingLooks: Int32 = 3
    /// When its name was last read, on the monotonic clock.
    var lastNamed: Int64 = 0
    /// Whether it ran Python when it was last asked; nil before.
    var runsPython: Bool?
    /// What was read with its last look.
    var python = PythonFinding.notPython
    /// Its last sample, as an index.
    var lastSample: Int?

    /// The turns on a CPU it had had when it was seen standing still where its last sample shows it.
    private var restingTurns: UInt64?
    /// The last stop, if it fell into a system call that begins anew after it.
    private var lastStop: InterruptedCall?
    private var lastCall: Int64 = -1

    private struct InterruptedCall {
        var turns: UInt64
        var number: Int64
        var stackPointer: UInt64
        var programCounter: UInt64
    }

    init(processID: Int32, threadID: Int32, firstSeen: Int64) {
        self.processID = processID
        self.threadID = threadID
        self.firstSeen = firstSeen
    }

    /// Whether it has not run since it was seen standing still.
    func rests(_ schedule: cptrace_schedule) -> Bool {
        restingTurns == schedule.turns && schedule.turns != 0
    }

    /// Whether it has run since its last sample only because of that sample's stop, and waits where it waited.
    ///
    /// A stop costs one turn to get there and one back into the system call. Another turn would be its own.
    func hasReturned(_ look: cptrace_look, _ schedule: cptrace_schedule) -> Bool {
        guard let stop = lastStop, lastSample != nil, look.is_blocked != 0,
            schedule.turns == stop.turns + 1,
            look.stack_pointer == stop.stackPointer, look.program_counter == stop.programCounter,
            look.system_call == stop.number || look.system_call == cptrace_restart_call()
        else { return false }
        restingTurns = schedule.turns
        return true
    }

    /// Notes that it stands still where its latest sample shows it.
    func rest(at schedule: cptrace_schedule) {
        restingTurns = schedule.turns
        lastStop = nil
    }

    /// Has it sampled anew at the next look, although it has not run.
    func forgetRest() {
        restingTurns = nil
        lastStop = nil
        restedLooks = 0
    }

    /// Notes a stop. Returns the state it was found in.
    func note(_ moment: cptrace_moment, stackPointer: UInt64, programCounter: UInt64) -> String {
        restingTurns = nil
        lastStop = nil
        guard moment.system_call >= 0, Self.isInterrupted(moment.system_call_result) else {
            return RawProfile.runningState
        }
        let isRestart = moment.system_call == cptrace_restart_call()
        if !isRestart { lastCall = moment.system_call }
        if Self.isRestarted(moment.system_call_result) {
            lastStop = InterruptedCall(
                turns: moment.schedule.turns, number: moment.system_call, stackPointer: stackPointer,
                programCounter: programCounter)
        }
        return "blocked: " + Self.name(ofCall: lastCall)
    }

    /// The system call it waits in, by name.
    static func name(ofCall number: Int64) -> String {
        cptrace_system_call_name(number).map { String(cString: $0) } ?? "system call \(number)"
    }

    /// -EINTR, or one of the kernel's own codes for calls that begin anew: ERESTARTSYS, ERESTARTNOINTR,
    /// ERESTARTNOHAND, ERESTART_RESTARTBLOCK.
    static func isInterrupted(_ result: Int64) -> Bool { result == -4 || isRestarted(result) }

    private static func isRestarted(_ result: Int64) -> Bool { [-512, -513, -514, -516].contains(result) }
}
