internal import JSONDocument
public import LinuxSystem
public import Measurement

/// Where a pipeline stands within a series of episodes (or files, or batches).
public struct EpisodePosition: Hashable, Sendable {
    /// Which one it is at, counted from 1.
    public var index: Int
    /// How many there are, nil when not known.
    public var total: Int?

    /// A position counted from 1.
    public init(index: Int, total: Int?) {
        self.index = index
        self.total = total
    }
}

/// What a pipeline's status file said at one moment.
public struct StatusSnapshot: Equatable, Sendable {
    /// A finished stage, all its spans together, as our own writer accounts it.
    public struct FinishedStage: Equatable, Sendable {
        public var stage: StageName
        /// How many spans have ended.
        public var entered: Int
        /// Time during which at least one span was open.
        public var wall: Duration
        /// The sum of the spans' durations: more than `wall` where they overlapped.
        public var work: Duration
        /// CPU time of the process and its waited-for children while at least one span was open.
        /// Nil where the writer does not count it.
        public var cpu: Duration?
        /// Whether another stage was active during it, so that its CPU time and memory are shared.
        public var isShared: Bool
    }

    /// The stage that was begun last among the open ones, or the last one run.
    public var stage: StageName
    public var pid: Int32?
    public var startedAt: Timestamp?
    public var stageStartedAt: Timestamp?
    public var episode: EpisodePosition?
    /// All stages being run; nil where the writer does not list them.
    public var activeStages: [StageName]?
    /// Finished stages in order of first entry; nil where the writer does not list them.
    public var history: [FinishedStage]?

    /// The most bytes of a status file that are read.
    public static let maximumBytes = 1 << 18

    /// Why a status file said nothing.
    public enum Problem: Error, Equatable, Sendable, CustomStringConvertible {
        /// It is not there: the pipeline has not written it yet.
        case missing
        /// It could not be read, or is longer than any status file.
        case unreadable(String)
        /// It is empty, cut off or not JSON.
        case notJSON
        /// It is JSON without a usable `stage`.
        case noStage

        /// A phrase.
        public var description: String {
            switch self {
            case .missing: "there is no status file yet"
            case .unreadable(let sentence): sentence
            case .notJSON: "the status file is not JSON"
            case .noStage: "the status file names no stage"
            }
        }
    }

    /// Reads a status file. Whatever is in it, this returns in bounded time and memory.
    ///
    /// Others may write where it lies: no link is followed to it.
    public static func read(
        _ path: String, _ trust: FileTrust = .writtenByPipeline
    ) throws(Problem) -> StatusSnapshot {
        var identity: Files.Identity?
        return try read(path, trust, identity: &identity)
    }

    /// Reads the status file, and says which one it was as far as that could be found out.
    package static func read(
        _ path: String, _ trust: FileTrust, identity: inout Files.Identity?, withHistory: Bool = true
    ) throws(Problem) -> StatusSnapshot {
        let bytes: [UInt8]
        do throws(Files.ReadError) {
            (bytes, identity) = try Files.readIdentified(path, trust, limit: maximumBytes)
        } catch {
            if case .system(let cause) = error, cause.isNotFound { throw .missing }
            throw .unreadable(error.description)
        }
        return try parse(bytes, withHistory: withHistory || bytes.count <= shortFile)
    }

    /// A file so short has a history that is no work to read.
    private static let shortFile = 8 << 10

    /// Reads a status file's bytes. Unknown fields are ignored; a known field of a wrong type counts as absent.
    ///
    /// - Parameter withHistory: Whether the finished stages are wanted; else they are stepped over.
    public static func parse(_ bytes: [UInt8], withHistory: Bool = true) throws(Problem) -> StatusSnapshot {
        guard let fields = JSONValue.parse(bytes, skipping: withHistory ? nil : "history")?.object else {
            throw .notJSON
        }
        guard let stage = fields["stage"]?.string.flatMap({ StageName($0) }) else { throw .noStage }
        return StatusSnapshot(
            stage: stage,
            pid: fields["pid"]?.number.flatMap { Int32(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil },
            startedAt: fields["started_at"]?.number.flatMap { Timestamp(secondsSinceEpoch: $0) },
            stageStartedAt: fields["stage_started_at"]?.number.flatMap { Timestamp(secondsSinceEpoch: $0) },
            episode: EpisodePosition(index: fields["episode_idx"], total: fields["episode_total"]),
            activeStages: fields["active_stages"]?.array?.compactMap { $0.string.flatMap { StageName($0) } },
            history: fields["history"]?.array?.compactMap { $0.object.flatMap(FinishedStage.init(fields:)) })
    }
}

extension StatusSnapshot.FinishedStage {
    fileprivate init?(fields: [String: JSONValue]) {
        guard let stage = fields["stage"]?.string.flatMap({ StageName($0) }),
            let entered = fields["entered"]?.number.flatMap({ Int(exactly: $0) }),
            let wall = fields["wall_s"]?.number, let work = fields["work_s"]?.number,
            [wall, work, fields["cpu_s"]?.number ?? 0].allSatisfy({ (0...1e9).contains($0) })
        else { return nil }
        self.init(
            stage: stage, entered: entered, wall: .seconds(wall), work: .seconds(work),
            cpu: fields["cpu_s"]?.number.map { .seconds($0) },
            isShared: fields["shared"]?.bool ?? false)
    }
}
