internal import LinuxSystem
internal import Measurement

/// Reads the event trace as it grows.
struct TraceReader {
    private let path: String
    private let trust: FileTrust
    /// Events before this moment are of an earlier run into the same directory.
    private var earliest: Int64
    /// Bytes that an earlier run has left.
    private let skipped: Int64
    private let mayHoldOld: Bool
    private var file: LineFollower?
    private(set) var ignoredLines = 0
    /// Events whose moment is not of this run.
    private(set) var foreignEvents = 0
    /// What became of the file that was read before this one; nil while there was none.
    private(set) var fate: LineFollower.Fate?
    /// A sentence when the wall clock of events without `monotonic_ns` cannot be used; nil while it can.
    private(set) var disagreement: String?
    private var lastMoment: Int64
    private var lastLook: Int64

    /// A reader of a trace that need not exist yet.
    ///
    /// - Parameters:
    ///   - trust: How far the place of the trace is trusted.
    ///   - earliest: The moment of CLOCK_MONOTONIC at which the run began.
    ///   - skipsExisting: Whether what is there now is of an earlier run.
    init(path: String, _ trust: FileTrust, earliest: Int64, skipsExisting: Bool) {
        self.path = path
        self.trust = trust
        self.earliest = earliest
        lastMoment = earliest
        lastLook = earliest
        mayHoldOld = !skipsExisting
        skipped = skipsExisting ? Self.size(of: path) : 0
    }

    /// The events that have come since the last call, at most so many as fit into 256 KiB; call again for more.
    mutating func next() -> [StageEvent] {
        if file == nil { file = LineFollower(path: path, trust, skipping: skipped) }
        let now = SystemClock.monotonicNanoseconds
        guard var lines = file?.nextLines() else { return [] }
        if lines.isEmpty, followReplacement() { lines = file?.nextLines() ?? [] }
        var events: [StageEvent] = []
        for line in lines {
            guard let event = StageEvent.parse(line, moment: { moment(of: $0, now: now) }) else {
                ignoredLines += 1
                continue
            }
            // A moment in the future was written before the machine was last started.
            guard event.monotonicNanoseconds >= earliest,
                event.monotonicNanoseconds <= SystemClock.monotonicNanoseconds
            else {
                foreignEvents += 1
                continue
            }
            lastMoment = max(lastMoment, event.monotonicNanoseconds)
            events.append(event)
        }
        if lines.isEmpty { lastLook = now }
        return events
    }

    /// Turns to the file that is at the path now, if the one that was read to its end is no longer that.
    private mutating func followReplacement() -> Bool {
        guard let found = file?.fate(at: path), let next = LineFollower(path: path, trust) else {
            return false
        }
        fate = found
        file = next
        // A copy of what was read already is not read twice.
        earliest = lastMoment + 1
        return true
    }

    /// The moment of an event that names none on CLOCK_MONOTONIC: by its wall clock, if that falls into the time since
    /// the last look, else now.
    private mutating func moment(of reported: Timestamp?, now: Int64) -> Int64 {
        guard let reported else { return max(lastMoment, now) }
        let moment = now - reported.duration(to: SystemClock.now).inNanoseconds
        // What was there at the first look may be an earlier run's.
        if mayHoldOld, lastLook == earliest, moment < earliest - 1_000_000_000 { return moment }
        guard (lastLook - StageFeed.fileClockLag...now + StageFeed.fileClockLag).contains(moment) else {
            let seconds = Duration(nanosecondCount: abs(moment - now)).inSeconds.fixed(1)
            disagreement =
                disagreement
                ?? "By the pipeline's own clock an event was \(seconds) s \(moment < now ? "before" : "after") it was "
                + "read: that clock is off. Where the two disagree, the moment of reading counts."
            return max(lastMoment, now)
        }
        return min(max(lastMoment, moment), now)
    }

    private static func size(of path: String) -> Int64 {
        do throws(SystemError) {
            return try Files.size(path)
        } catch {
            // There is none yet.
            return 0
        }
    }
}
