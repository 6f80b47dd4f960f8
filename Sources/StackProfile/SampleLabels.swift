public import Measurement

/// What a sample's weight counts.
public enum WeightUnit: String, Hashable, Sendable {
    /// Samples taken.
    case samples
    /// Nanoseconds, of CPU or of wall-clock time as the sampler says.
    case nanoseconds
    /// Instructions executed, counted and not sampled.
    case instructions
}

/// Where a sample was taken: what profiles are filtered and grouped by.
public struct SampleLabels: Hashable, Sendable {
    /// The stage that was active at the sample's moment.
    public var stage: StageName?
    /// The thread, by name, number or both.
    public var thread: String?
    /// The process, by name, number or both.
    public var process: String?
    /// What the thread was doing, such as `running` or `blocked: futex`.
    public var state: String?
    /// The run of the capture it was taken in, as `SESSION/INDEX`: `s1/4`. Comparisons take runs, never samples, for
    /// independent.
    public var run: String?

    /// Labels; those left out are not known.
    public init(
        stage: StageName? = nil, thread: String? = nil, process: String? = nil, state: String? = nil,
        run: String? = nil
    ) {
        self.stage = stage
        self.thread = thread
        self.process = process
        self.state = state
        self.run = run
    }

    /// No labels at all.
    public static let none = SampleLabels()
}

/// A label that samples can be grouped by.
public enum GroupingLabel: String, Hashable, Sendable, CaseIterable {
    case stage, thread, process, state

    /// The synthetic frame that heads the samples with these labels.
    func frame(for labels: SampleLabels) -> Frame {
        switch self {
        case .stage: Frame(labels.stage?.text ?? "(no stage)", traits: .stage)
        case .thread: Frame(labels.thread ?? "(no thread)", traits: .thread)
        case .process: Frame(labels.process ?? "(no process)", traits: .process)
        case .state: Frame(labels.state ?? "(no state)", traits: .state)
        }
    }
}
