internal import JSONDocument
package import Measurement

/// A line of the event trace: the begin or the end of one span of a stage.
package struct StageEvent: Equatable, Sendable {
    package var isBegin: Bool
    package var stage: StageName
    package var episode: Int?
    /// The thread that opened or closed the span.
    package var threadID: Int32?
    /// CLOCK_MONOTONIC in nanoseconds.
    package var monotonicNanoseconds: Int64
    /// CPU time of the pipeline's process and its waited-for children, in nanoseconds.
    package var processCPUNanoseconds: Int64?

    /// An event made of its parts.
    package init(
        isBegin: Bool, stage: StageName, episode: Int?, threadID: Int32?, monotonicNanoseconds: Int64,
        processCPUNanoseconds: Int64?
    ) {
        self.isBegin = isBegin
        self.stage = stage
        self.episode = episode
        self.threadID = threadID
        self.monotonicNanoseconds = monotonicNanoseconds
        self.processCPUNanoseconds = processCPUNanoseconds
    }

    /// The event in a line, nil when it is none.
    package static func parse(_ line: [UInt8]) -> StageEvent? {
        guard let fields = JSONValue.parse(line)?.object,
            let event = fields["event"]?.string, event == "begin" || event == "end",
            let stage = fields["stage"]?.string.flatMap({ StageName($0) }),
            let monotonic = fields["monotonic_ns"]?.number.flatMap({ Int64(exactly: $0.rounded()) }),
            monotonic >= 0
        else { return nil }
        return StageEvent(
            isBegin: event == "begin", stage: stage,
            episode: fields["episode"]?.number.flatMap { Int(exactly: $0) },
            threadID: fields["tid"]?.number.flatMap { Int32(exactly: $0) }, monotonicNanoseconds: monotonic,
            processCPUNanoseconds: fields["process_cpu_ns"]?.number.flatMap { Int64(exactly: $0.rounded()) })
    }
}
