public import Measurement

/// What a sample's weight counts.
public enum WeightUnit: Hashable, Sendable {
    /// Samples taken.
    case samples
    /// Nanoseconds, of CPU or of wall-clock time as the sampler says.
    case nanoseconds
    /// Instructions executed, counted and not sampled.
    case instructions
    /// Bytes, allocated or in use as the file's sample type says.
    case bytes
    /// Something else that is counted, by its name: `cycles`, `alloc_objects`.
    case counts(String)

    /// The unit in a word: `samples`, `nanoseconds`, `bytes`, or what is counted.
    public var name: String {
        switch self {
        case .samples: "samples"
        case .nanoseconds: "nanoseconds"
        case .bytes: "bytes"
        case .instructions: "instructions"
        case .counts(let what): what
        }
    }
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
    /// Labels that other tools gave, by their names.
    public var others: [String: String]

    /// Labels; those left out are not known.
    public init(
        stage: StageName? = nil, thread: String? = nil, process: String? = nil, state: String? = nil,
        run: String? = nil, others: [String: String] = [:]
    ) {
        self.stage = stage
        self.thread = thread
        self.process = process
        self.state = state
        self.run = run
        self.others = others
    }

    /// No labels at all.
    public static let none = SampleLabels()
}

/// A label that samples can be grouped by.
public enum GroupingLabel: Hashable, Sendable {
    case stage, thread, process, state
    /// A label of another tool, by its name.
    case other(String)

    /// The labels that this toolkit gives.
    public static let known: [GroupingLabel] = [.stage, .thread, .process, .state]

    /// The label of a name; one that this toolkit does not give is another tool's.
    public init(name: String) {
        self = Self.known.first { $0.name == name } ?? .other(name)
    }

    /// The label's name.
    public var name: String {
        switch self {
        case .stage: "stage"
        case .thread: "thread"
        case .process: "process"
        case .state: "state"
        case .other(let name): name
        }
    }

    /// The label's text in a set of labels; nil where the set has no such label.
    public func text(in labels: SampleLabels) -> String? {
        switch self {
        case .stage: labels.stage?.text
        case .thread: labels.thread
        case .process: labels.process
        case .state: labels.state
        case .other(let name): labels.others[name]
        }
    }

    /// The synthetic frame that heads the samples with these labels.
    func frame(for labels: SampleLabels) -> Frame {
        let traits: FrameTraits =
            switch self {
            case .stage: .stage
            case .thread: .thread
            case .process: .process
            case .state, .other: .state
            }
        return Frame(text(in: labels) ?? "(no \(name))", traits: traits)
    }
}
