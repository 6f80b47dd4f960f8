internal import LinuxSystem
internal import Measurement

/// Joins the event trace and the status file into events, as they come.
///
/// A pipeline that writes the trace is believed to the nanosecond and loses nothing. For one that writes only the
/// status file each replacement counts that could be read before the next one. Order and duration come from this
/// machine's monotonic clock; the pipeline's own times are used where they agree with it.
package struct StageFeed {
    /// What a status file that is there before the first look is.
    package enum Existing: Sendable {
        /// It is of an earlier run: the pipeline has not been started yet.
        case isOfEarlierRun
        /// It is of this run if it was last changed after a moment of CLOCK_MONOTONIC: the pipeline's start.
        case isOfThisRun(since: Int64)
    }

    /// Where the events come from; nil until there is one.
    package private(set) var source: StageSource?
    /// Where the pipeline writes: found one directory below the one that was asked for, if need be.
    package private(set) var location: StatusLocation
    /// What the status file said last.
    package private(set) var snapshot: StatusSnapshot?
    /// The account of finished stages that the status file held last.
    package private(set) var history: [StatusSnapshot.FinishedStage]?
    package private(set) var problem: StatusSnapshot.Problem?
    package private(set) var episode: EpisodePosition? {
        didSet { highestEpisode = [highestEpisode, episode?.index].compactMap { $0 }.max() }
    }
    /// The highest episode so far: how many the run went through.
    package private(set) var highestEpisode: Int?
    /// Whether the pipeline has said that its last stage is over.
    package var isDone: Bool { snapshot?.stage == .done }
    /// How many files that followed each other at the status file's path have been read.
    package private(set) var filesRead = 0
    /// Processes that only marked stages.
    package private(set) var markers: [StageMarker] = []
    private var markersLeftOut = 0

    private let trust: FileTrust
    private let earliest: Int64
    private let isAnyFileOld: Bool
    private var trace: TraceReader
    private var differ: StatusDiffer
    private var search: StatusSearch
    private var lastFile: Files.Identity?
    /// The file of an earlier run; nil where there was none.
    private var leftover: Files.Identity?
    private var lastLook: Int64?
    /// How often the status file was there and could not be read, and why the last time.
    private var unreadable: (count: Int, reason: String)?

    /// How late a file's own time of change may be.
    static let fileClockLag: Int64 = 20_000_000
    private static let closeToStart: Int64 = 100_000_000
    /// When the account of finished stages was read last, and how long it is left alone then.
    private var historyReadAt: Int64?
    private static let historyPause: Int64 = 1_000_000_000
    private static let maximumMarkers = 100_000

    /// A feed of a pipeline that writes to a status file, or is going to.
    ///
    /// - Parameter owner: The only user whose files are believed; nil for any. Needed where the pipeline itself has named
    ///   the place, which may be anybody's file.
    package init(statusFile: String, existing: Existing, owner: UInt32? = nil) {
        // Links that lead there now are the user's; one that the pipeline puts on the way is not followed.
        let statusFile = Files.settled(statusFile)
        let location = StatusLocation(statusFile: statusFile)
        self.location = location
        var trust = FileTrust.writtenByPipeline
        trust.owner = owner
        self.trust = trust
        switch existing {
        case .isOfEarlierRun:
            earliest = SystemClock.monotonicNanoseconds
            isAnyFileOld = true
        case .isOfThisRun(let since):
            earliest = since
            isAnyFileOld = false
        }
        trace = TraceReader(path: location.eventTrace, trust, earliest: earliest, skipsExisting: isAnyFileOld)
        differ = StatusDiffer(earliest: earliest)
        search = StatusSearch(below: location, earliest: earliest)
        if let found = Files.identity(statusFile),
            isAnyFileOld || Self.isOfEarlierRun(found, at: statusFile, trust, start: earliest)
        {
            leftover = found
        }
    }

    /// Whether a file was there before the pipeline started. Close to the start, which is known in ticks, the file's own
    /// times decide.
    private static func isOfEarlierRun(
        _ file: Files.Identity, at path: String, _ trust: FileTrust, start: Int64
    ) -> Bool {
        let moment = moment(of: file)
        guard moment < start + closeToStart else { return false }
        guard moment >= start - fileClockLag else { return true }
        do throws(StatusSnapshot.Problem) {
            let snapshot = try StatusSnapshot.read(path, trust)
            guard let reported = snapshot.stageStartedAt ?? snapshot.startedAt else { return false }
            let age = reported.duration(to: SystemClock.now).inNanoseconds
            return SystemClock.monotonicNanoseconds - age < start - 1_000_000_000
        } catch {
            // An unreadable file reports nothing, so it does not matter which run wrote it.
            return false
        }
    }

    /// The events that have come since the last call, oldest first; at most as many as fit into 256 KiB of the trace.
    ///
    /// The trace is read before the status file, because it is written before it: a pipeline that writes both is
    /// never taken for one that writes only the latter.
    package mutating func read() -> [StageEvent] {
        if source == nil, snapshot == nil, let found = search.find() { adopt(found) }
        var events: [StageEvent] = []
        if source != .statusFile {
            for event in trace.next() { take(event, into: &events) }
        }
        let reading = readStatus()
        guard source != .eventTrace, let reading else { return events }
        let found = differ.events(to: reading)
        if !found.isEmpty { source = .statusFile }
        return found
    }

    /// Has the account of finished stages read at the next call, however lately that was done.
    package mutating func wantHistory() { historyReadAt = nil }

    /// What a reader of the stages should know, in whole sentences.
    package var notes: [String] {
        var notes: [String] = []
        if let unreadable, source != nil || leftover != nil {
            notes.append(
                "The status file '\(shown(location.statusFile))' could not be read \(unreadable.count) times, and stages may be "
                    + "missing. \(unreadable.reason)")
        }
        if markersLeftOut > 0 {
            notes.append(
                "\(markersLeftOut) processes that only marked stages, after the first \(Self.maximumMarkers), are counted as the "
                    + "pipeline's.")
        }
        if let sentence = differ.disagreement ?? trace.disagreement { notes.append(sentence) }
        if let fate = trace.fate {
            notes.append(
                "The event trace '\(shown(location.eventTrace))' was \(fate == .replaced ? "replaced by another file" : "cut short") "
                    + "while the run went on. Events were read of both, but what was written before the end of the first "
                    + "and not yet read may be missing.")
        }
        if trace.ignoredLines > 0 {
            notes.append("\(trace.ignoredLines) lines of the event trace are not events.")
        }
        if source != .eventTrace, trace.foreignEvents > 0 {
            notes.append(
                "\(trace.foreignEvents) events of '\(shown(location.eventTrace))' are left out, because their monotonic_ns is "
                    + "not of this run.")
        }
        return notes
    }

    /// Why there is no stage, with the path that was waited for; nil while there is one.
    package var absence: String? {
        guard source == nil else { return nil }
        let path = shown(location.statusFile)
        if leftover != nil, snapshot == nil {
            return "'\(path)' is of an earlier run and was not replaced."
        }
        switch problem {
        case .missing, nil:
            return "'\(path)' was not written, nor a file of that name one directory below."
        case .some(let problem): return "'\(path)': \(problem)."
        }
    }

    private func shown(_ path: String) -> String { PlainText.sanitized(path, maximumCharacters: 512) }

    private mutating func take(_ event: StageEvent, into events: inout [StageEvent]) {
        source = .eventTrace
        // The last end still shows where the pipeline was; only a begin without an episode leaves the series.
        if event.kind != .end || event.episode != nil { episode = event.episode }
        if let marker = event.marker {
            if markers.count < Self.maximumMarkers { markers.append(marker) } else { markersLeftOut += 1 }
        }
        events.append(event)
    }

    private mutating func adopt(_ found: StatusLocation) {
        location = found
        trace = TraceReader(path: found.eventTrace, trust, earliest: earliest, skipsExisting: false)
        leftover = nil
        lastLook = nil
    }

    /// What the status file says, if it is of this run and can be understood.
    private mutating func readStatus() -> StatusReading? {
        let previousLook = lastLook ?? earliest
        let isFirst = lastLook == nil
        defer { lastLook = SystemClock.monotonicNanoseconds }
        do throws(StatusSnapshot.Problem) {
            var file: Files.Identity?
            defer {
                if let file, file != lastFile, file != leftover {
                    filesRead += 1
                    lastFile = file
                }
            }
            // Each replacement has the rows of all stages that have finished: reading them each time would be quadratic.
            let now = SystemClock.monotonicNanoseconds
            let wantsHistory = historyReadAt.map { now - $0 >= Self.historyPause } ?? true
            if wantsHistory { historyReadAt = now }
            let read = try StatusSnapshot.read(
                location.statusFile, trust, identity: &file, withHistory: wantsHistory)
            // Both clocks at once: what lies between them would shift the pipeline's own times.
            let (readAt, wallClock) = (SystemClock.monotonicNanoseconds, SystemClock.now)
            guard let file, file != leftover else { return nil }
            snapshot = read
            history = read.history ?? history
            problem = nil
            if source != .eventTrace { episode = read.episode }
            return StatusReading(
                snapshot: read, isFirst: isFirst,
                replacedAt: Self.replaced(file, between: previousLook, and: readAt), readAt: readAt,
                wallClock: wallClock)
        } catch {
            problem = error
            if case .unreadable(let reason) = error {
                unreadable = (
                    (unreadable?.count ?? 0) + 1, PlainText.sanitized(reason, maximumCharacters: 512)
                )
            }
            return nil
        }
    }

    /// When a file was replaced: now, unless its own time of change is notably earlier and possible.
    private static func replaced(_ file: Files.Identity, between lastLook: Int64, and now: Int64) -> Int64 {
        let moment = moment(of: file)
        return (lastLook...max(lastLook, now - fileClockLag)).contains(moment) ? moment : now
    }

    /// A file's time of change on CLOCK_MONOTONIC, if the wall clock was not set since.
    private static func moment(of file: Files.Identity) -> Int64 {
        SystemClock.monotonicNanoseconds - file.changedAt.duration(to: SystemClock.now).inNanoseconds
    }
}

extension StageFeed {
    /// Where the pipeline is in its series, with the total where only the status file names it.
    package var position: EpisodePosition? {
        guard let episode else { return nil }
        return EpisodePosition(index: episode.index, total: episode.total ?? snapshot?.episode?.total)
    }
}
