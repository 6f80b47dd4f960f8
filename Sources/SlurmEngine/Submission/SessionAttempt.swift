/// One attempt to make a session: `s3` for the first, `s3.2` for the second job that tries, with `r1` behind where Slurm
/// started the task again by itself.
///
/// Each is a session of its own, made on one node from beginning to end: what two nodes made is never one session.
public struct SessionAttempt: Hashable, Sendable {
    /// The place among the capture's sessions, from 1: the task's number in its array.
    public var slot: Int
    /// Which job it is that tries, from 1.
    public var round: Int
    /// How often Slurm has started the task again.
    public var restart: Int

    /// An attempt.
    public init(slot: Int, round: Int, restart: Int = 0) {
        self.slot = slot
        self.round = round
        self.restart = restart
    }

    /// The attempt that a session's name says; nil where it is none of ours.
    public init?(session name: String) {
        guard name.hasPrefix("s"), name.utf8.count <= 40 else { return nil }
        var rest = name.dropFirst()
        func number(_ text: Substring) -> Int? {
            guard let first = text.first, first != "0", text.allSatisfy({ $0.isASCII && $0.isNumber }) else {
                return nil
            }
            return Int(text)
        }
        restart = 0
        if let mark = rest.firstIndex(of: "r") {
            guard let count = number(rest[rest.index(after: mark)...]) else { return nil }
            restart = count
            rest = rest[..<mark]
        }
        round = 1
        if let point = rest.firstIndex(of: ".") {
            guard let count = number(rest[rest.index(after: point)...]), count > 1 else { return nil }
            round = count
            rest = rest[..<point]
        }
        guard let place = number(rest) else { return nil }
        slot = place
    }

    /// The session's name.
    public var session: String {
        "s\(slot)" + (round > 1 ? ".\(round)" : "") + (restart > 0 ? "r\(restart)" : "")
    }
}
