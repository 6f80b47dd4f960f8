internal import JSONDocument
internal import Measurement

/// What is remembered of a capture's jobs, so that the same command finds them again.
///
/// A job stands here before sbatch is called, and gets its number afterwards: one without a number may exist or not, which its
/// name decides.
public struct CaptureBook: Equatable, Sendable {
    /// A job that was submitted, or was about to be.
    public struct Job: Equatable, Sendable {
        public var name: String
        /// Which job of its sessions this is, from 1.
        public var round: Int
        public var node: String?
        public var slots: [Int]
        /// Slurm's number; nil if it is not known whether it was taken.
        public var number: Int?

        /// A job.
        public init(name: String, round: Int, node: String?, slots: [Int], number: Int? = nil) {
            self.name = name
            self.round = round
            self.node = node
            self.slots = slots
            self.number = number
        }
    }

    /// A digest of what is captured: another capture must not go on with this one's sessions.
    public var request: String
    /// How many sessions are wanted.
    public var sessions: Int
    public var jobs: [Job] = []
    /// Whether the profile was frozen: then the capture is over.
    public var isFrozen = false

    /// A book of a capture that has no job yet.
    public init(request: String, sessions: Int) {
        self.request = request
        self.sessions = sessions
    }

    /// The most sessions of a capture.
    public static let maximumSessions = 1000
    /// The most bytes of a book that are read.
    public static let maximumBytes = 16 << 20
    private static let schema = "freeze-profile.slurm-capture"

    /// The last job that was to make a session; nil when none was.
    public func lastJob(of slot: Int) -> Job? { jobs.last { $0.slots.contains(slot) } }

    /// The round of the next job of a session.
    public func nextRound(of slot: Int) -> Int { (lastJob(of: slot)?.round ?? 0) + 1 }

    /// The book as a file.
    public func encode() -> [UInt8] {
        let jobs = jobs.map { job in
            JSONText.object([
                ("name", job.name.asJSON), ("round", "\(job.round)"), ("node", job.node.map(\.asJSON)),
                ("sessions", JSONText.list(job.slots.map { "\($0)" })),
                ("number", job.number.map { "\($0)" }),
            ])
        }
        return Array(
            (JSONText.object([
                ("schema", Self.schema.asJSON), ("schema_version", "1.0".asJSON),
                ("request", request.asJSON), ("sessions", "\(sessions)"), ("frozen", "\(isFrozen)"),
                ("jobs", JSONText.lines(jobs)),
            ]) + "\n").utf8)
    }

    /// Reads a book; nil when the bytes are none.
    public init?(_ bytes: [UInt8]) {
        func whole(_ value: JSONValue?, _ range: ClosedRange<Int>) -> Int? {
            value?.number.flatMap { Int(exactly: $0) }.flatMap { range.contains($0) ? $0 : nil }
        }
        guard bytes.count <= Self.maximumBytes, let root = JSONValue.parse(bytes)?.object,
            root["schema"]?.string == Self.schema, root["schema_version"]?.string?.hasPrefix("1.") ?? false,
            let request = root["request"]?.string,
            let sessions = whole(root["sessions"], 1...Self.maximumSessions),
            let frozen = root["frozen"]?.bool, let listed = root["jobs"]?.array
        else { return nil }
        self.init(request: request, sessions: sessions)
        isFrozen = frozen
        for item in listed {
            guard let job = item.object, let name = job["name"]?.string,
                let round = whole(job["round"], 1...1_000_000), let slots = job["sessions"]?.array
            else { return nil }
            let numbers = slots.compactMap { whole($0, 1...Self.maximumSessions) }
            guard numbers.count == slots.count, !numbers.isEmpty else { return nil }
            jobs.append(
                Job(
                    name: name, round: round, node: job["node"]?.string, slots: numbers,
                    number: whole(job["number"], 1...Int(Int32.max))))
        }
    }
}
