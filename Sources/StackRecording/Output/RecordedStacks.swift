internal import FrozenProfile
internal import LinuxProcess
public import Measurement
public import StackProfile
internal import StackSampler

/// The stacks of a recording, with how they came about.
public struct RecordedStacks: Sendable {
    public let profile: StackProfile
    /// What time was sampled.
    public let mode: SamplingMode
    /// What was sampled, for a picture's footer.
    public let command: String
    public let startedAt: Timestamp
    /// How long was sampled.
    public let wall: Duration
    /// What can be said of the stacks beyond their health, as sentences.
    public let notes: [String]

    let account: CaptureQuality.Sampler
    private let clocks: ClockComparison?

    /// Stacks that were taken.
    ///
    /// - Parameters:
    ///   - subject: What was sampled, as the subject of a sentence.
    ///   - ending: How it ended, as the predicate; nil while it runs.
    /// - Throws: ``StackRecordingError/nothingSampled(_:)`` when there is not a single sample.
    init(
        _ taken: TakenStacks, mode: SamplingMode = .cpu, command: String, span: RecordingSpan,
        subject: String, ending: String?
    ) throws(StackRecordingError) {
        guard let profile = taken.profile else {
            throw .nothingSampled("No stacks were taken: \(taken.account.reason ?? "no reason given").")
        }
        account = taken.account
        clocks = taken.clocks
        self.mode = mode
        guard profile.totalWeight > 0 else {
            throw .nothingSampled(
                Self.silence(taken.account, mode, subject: subject, ending: ending, wall: span.wall))
        }
        self.profile = profile
        self.command = command
        startedAt = span.startedAt
        wall = span.wall
        notes =
            taken.notes + (account.reason.map { ["\($0.first?.uppercased() ?? "")\($0.dropFirst())."] } ?? [])
    }

    /// Whether the samples know their stage.
    public var hasStages: Bool { profile.labelSets.contains { $0.stage != nil } }
    /// Whether the samples say what their threads were doing.
    public var hasStates: Bool { profile.labelSets.contains { $0.state != nil } }

    /// One line on how far the stacks can be trusted.
    public var health: String {
        let counts = [
            (account.lost, "lost"), (account.truncated, "truncated"),
            (account.unwindFailed, "not walked to their root"),
        ]
        let known = counts.compactMap { reading, what in reading.value.map { "\($0) \(what)" } }
        let rate = account.rateHz.value.map { " at \($0.fixed(0)) Hz" } ?? ""
        let samples = account.recorded.value.map { "\($0) samples" } ?? "samples not counted"
        let unknown =
            account.unknownFramesPercent.value.map { "\($0.fixed(1)) % of frames unknown" }
            ?? "unknown frames not counted"
        let clocks = clocks.map { [$0.summary] } ?? []
        return
            (["\(account.name)\(rate), \(wall.readable): \(samples)"] + known
            + (known.count < counts.count ? ["losses not known"] : []) + [unknown] + clocks
            + (account.python.map { ["Python functions \($0.summary)"] } ?? []))
            .joined(separator: ", ")
    }

    private static func silence(
        _ account: CaptureQuality.Sampler, _ mode: SamplingMode, subject: String, ending: String?,
        wall: Duration
    ) -> String {
        let beginning = "No samples were taken in \(wall.readable): \(subject) "
        let attempted = account.attempted.value ?? 0
        if attempted > 0 {
            return beginning + "was sampled \(attempted) times, but nothing arrived. Try a lower --rate."
        }
        let period = account.rateHz.value.map { Duration.seconds(1 / $0).readable } ?? "a period"
        if mode == .wall {
            return beginning + (ending ?? "was not seen")
                + " before its first sample. Sample for a longer time, or raise --rate."
        }
        if let ending {
            return beginning + "\(ending) before it had used \(period) of CPU time, which is one sample. "
                + "Sample something that runs longer, or raise --rate."
        }
        return beginning
            + "used less than \(period) of CPU time, which is one sample. Only threads that run are "
            + "sampled, not those that wait."
    }
}
