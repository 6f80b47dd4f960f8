internal import Measurement

/// What a task wrote about its session's end (``SessionScript``).
public struct TaskResult: Equatable, Sendable {
    /// What freeze-profile exited with: 0 when the session is made.
    public var exit: Int
    public var node: String
    /// The task as `12_3`.
    public var job: String
    /// How long it took; nil where the clock went back.
    public var duration: Duration?

    /// The most bytes of such a file that are read.
    public static let maximumBytes = 4096

    /// A result.
    public init(exit: Int, node: String, job: String, duration: Duration?) {
        self.exit = exit
        self.node = node
        self.job = job
        self.duration = duration
    }

    /// Reads a file; nil when it is none.
    public init?(_ bytes: [UInt8]) {
        var values: [Substring: Substring] = [:]
        for line in String(decoding: bytes.prefix(Self.maximumBytes), as: UTF8.self).split(separator: "\n") {
            guard let space = line.firstIndex(of: " ") else { return nil }
            values[line[..<space]] = line[line.index(after: space)...]
        }
        guard let exit = values["exit"].flatMap({ Int($0) }), (0...255).contains(exit),
            let node = values["node"], let job = values["job"]
        else { return nil }
        let started = values["started"].flatMap { Int($0) }
        let ended = values["ended"].flatMap { Int($0) }
        var duration: Duration?
        if let started, let ended, ended >= started, started > 0, ended < 1 << 40 {
            duration = .seconds(ended - started)
        }
        self.init(
            exit: exit, node: PlainText.sanitized(node, maximumCharacters: 200),
            job: PlainText.sanitized(job, maximumCharacters: 60), duration: duration)
    }
}
