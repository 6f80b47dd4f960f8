internal import LinuxSystem
internal import Measurement
internal import Stages

/// Runs stages one after the other: calls the reporter, and keeps the spans for the metrics.
struct StageRunner {
    private let reporter: StatusReporter
    private let episode: EpisodePosition?
    /// The stage that runs, or ran last.
    private(set) var current = StageName.speakerDetection
    private(set) var walls: [StageSpan] = []

    init(reporter: StatusReporter, episode: EpisodePosition? = nil) {
        self.reporter = reporter
        self.episode = episode
    }

    mutating func run<Result, Failure: Error>(
        _ stage: StageName, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        current = stage
        reporter.begin(stage, episode: episode)
        let start = SystemClock.monotonicNanoseconds
        let cpu = SystemClock.threadCPU
        defer {
            walls.append(
                StageSpan(
                    stage: stage, start: start, end: SystemClock.monotonicNanoseconds,
                    threadCPU: SystemClock.threadCPU - cpu))
            reporter.end(stage, episode: episode)
        }
        return try body()
    }
}

/// One stretch of work on a stage.
struct StageSpan: Sendable {
    var stage: StageName
    /// CLOCK_MONOTONIC in nanoseconds.
    var start: Int64
    var end: Int64
    /// CPU time of the thread that did it, its children not counted.
    var threadCPU: Duration

    var wall: Duration { Duration(nanosecondCount: end - start) }
}
