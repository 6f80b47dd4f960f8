/// What differs between two sides besides the version.
public struct Comparability: Equatable, Sendable {
    /// Something that differs.
    public struct Difference: Equatable, Sendable {
        /// The name by which it can be allowed, such as `cpu_model`; several differences may share one.
        public var key: String
        /// What differs, as a sentence.
        public var sentence: String
        /// Whether it forbids the comparison unless allowed; else it is a warning.
        public var forbids: Bool
        /// Whether the user allowed it.
        public var isAllowed: Bool

        /// A difference.
        public init(key: String, sentence: String, forbids: Bool, isAllowed: Bool = false) {
            self.key = key
            self.sentence = sentence
            self.forbids = forbids
            self.isAllowed = isAllowed
        }
    }

    /// Everything that differs, in the order of ``keys``, warnings last.
    public var differences: [Difference]

    /// An account of differences.
    public init(differences: [Difference] = []) {
        self.differences = differences
    }

    /// What forbids the comparison.
    public var refusals: [Difference] { differences.filter { $0.forbids && !$0.isAllowed } }
    /// What would forbid it, had it not been allowed.
    public var allowed: [Difference] { differences.filter(\.isAllowed) }
    /// What is only to be known.
    public var warnings: [Difference] { differences.filter { !$0.forbids } }
}
