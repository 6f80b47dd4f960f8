internal import JSONDocument
package import Measurement

/// A transition of a pipeline: a span of a stage begins or ends.
package struct StageEvent: Equatable, Sendable {
    /// What happens.
    package enum Kind: String, Sendable {
        /// A span opens.
        case begin
        /// A span closes: the latest of its thread, else the oldest of the stage.
        case end
        /// The stage entered before this one, by whichever process, is over, and this one begins.
        case enter
    }

    package var kind: Kind
    package var stage: StageName
    package var episode: EpisodePosition?
    /// The thread that opens or closes the span, and its process; nil where the pipeline does not name them.
    package var threadID: Int32?
    package var processID: Int32?
    /// CLOCK_MONOTONIC in nanoseconds.
    package var monotonicNanoseconds: Int64
    /// CPU time of the pipeline's process and its waited-for children by its own clock, in nanoseconds.
    package var processCPUNanoseconds: Int64?
    /// The process that only marked the stage; nil where the pipeline wrote the event itself.
    package var marker: StageMarker?

    package init(
        _ kind: Kind, _ stage: StageName, episode: EpisodePosition? = nil, threadID: Int32? = nil,
        processID: Int32? = nil, at monotonicNanoseconds: Int64, processCPUNanoseconds: Int64? = nil,
        marker: StageMarker? = nil
    ) {
        self.kind = kind
        self.stage = stage
        self.episode = episode
        self.threadID = threadID
        self.processID = processID
        self.monotonicNanoseconds = monotonicNanoseconds
        self.processCPUNanoseconds = processCPUNanoseconds
        self.marker = marker
    }
}

/// A process of this toolkit that a script started to mark a stage. It is no part of the pipeline.
package struct StageMarker: Hashable, Sendable {
    package var pid: Int32
    /// CPU time that it used, in nanoseconds.
    package var cpuNanoseconds: Int64
    /// The most memory that it had resident, in kibibytes.
    package var peakKibibytes: Int64

    package init(pid: Int32, cpuNanoseconds: Int64, peakKibibytes: Int64) {
        self.pid = pid
        self.cpuNanoseconds = cpuNanoseconds
        self.peakKibibytes = peakKibibytes
    }
}

extension StageEvent {
    /// The event in a line of the event trace, nil when it is none.
    ///
    /// - Parameter moment: Gives CLOCK_MONOTONIC for an event without `monotonic_ns`, from its `epoch_s`; nil when
    ///   that is not known.
    package static func parse(_ line: [UInt8], moment: (Timestamp?) -> Int64?) -> StageEvent? {
        guard let fields = JSONValue.parse(line)?.object,
            let kind = fields["event"]?.string.flatMap({ Kind(rawValue: $0) }),
            let stage = fields["stage"]?.string.flatMap({ StageName($0) })
        else { return nil }
        var monotonic: Int64?
        if let reported = fields["monotonic_ns"] {
            monotonic = reported.number.flatMap { Int64(exactly: $0.rounded()) }
        } else {
            monotonic = moment(fields["epoch_s"]?.number.flatMap { Timestamp(secondsSinceEpoch: $0) })
        }
        guard let monotonic, monotonic >= 0 else { return nil }
        return StageEvent(
            kind, stage,
            episode: EpisodePosition(index: fields["episode"], total: fields["episode_total"]),
            threadID: fields["tid"]?.number.flatMap { Int32(exactly: $0) },
            processID: fields["pid"]?.number.flatMap { Int32(exactly: $0) }, at: monotonic,
            processCPUNanoseconds: fields["process_cpu_ns"]?.number.flatMap { Int64(exactly: $0.rounded()) },
            marker: fields["marker"]?.object.flatMap { StageMarker(fields: $0) })
    }

    /// The event as a line of the event trace, its end included.
    ///
    /// - Parameters:
    ///   - timestamp: The wall clock at the same moment.
    ///   - threadCPUNanoseconds: CPU time of the thread.
    func traceLine(timestamp: Timestamp, threadCPUNanoseconds: Int64? = nil) -> String {
        var line = "{\"event\":\"\(kind.rawValue)\",\"stage\":\(stage.text.asJSON)"
        if let episode {
            line += ",\"episode\":\(episode.index)"
            if let total = episode.total { line += ",\"episode_total\":\(total)" }
        }
        if let threadID { line += ",\"tid\":\(threadID)" }
        if let processID { line += ",\"pid\":\(processID)" }
        line += ",\"monotonic_ns\":\(monotonicNanoseconds)"
        line += ",\"epoch_s\":\(timestamp.secondsSinceEpoch.fixed(6))"
        if let processCPUNanoseconds { line += ",\"process_cpu_ns\":\(processCPUNanoseconds)" }
        if let threadCPUNanoseconds { line += ",\"thread_cpu_ns\":\(threadCPUNanoseconds)" }
        if let marker { line += ",\"marker\":\(marker.json)" }
        return line + "}\n"
    }
}

extension StageMarker {
    fileprivate init?(fields: [String: JSONValue]) {
        guard let pid = fields["pid"]?.number.flatMap({ Int32(exactly: $0) }), pid > 0 else { return nil }
        func count(_ key: String) -> Int64 {
            max(0, fields[key]?.number.flatMap { Int64(exactly: $0.rounded()) } ?? 0)
        }
        self.init(pid: pid, cpuNanoseconds: count("cpu_ns"), peakKibibytes: count("peak_rss_kib"))
    }

    fileprivate var json: String {
        "{\"pid\":\(pid),\"cpu_ns\":\(cpuNanoseconds),\"peak_rss_kib\":\(peakKibibytes)}"
    }
}

extension EpisodePosition {
    /// The position that two fields give, nil when the first is no index.
    init?(index: JSONValue?, total: JSONValue?) {
        guard let index = index?.number.flatMap({ Int(exactly: $0) }), index >= 0 else { return nil }
        self.init(index: index, total: total?.number.flatMap { Int(exactly: $0) })
    }
}
