internal import LinuxSystem
internal import Measurement

/// What the clocks of a node showed at one moment.
public struct NodeMoment: Equatable, Sendable {
    /// Which CLOCK_MONOTONIC it is: that of one boot of one kernel, in one time namespace. Moments of the same clock are
    /// subtracted as they are.
    public var clock: String
    /// CLOCK_MONOTONIC.
    public var monotonicNanoseconds: Int64
    /// The wall clock.
    public var epochNanoseconds: Int64

    /// A moment.
    public init(clock: String, monotonicNanoseconds: Int64, epochNanoseconds: Int64) {
        self.clock = clock
        self.monotonicNanoseconds = monotonicNanoseconds
        self.epochNanoseconds = epochNanoseconds
    }

    /// This moment here.
    public static func now() -> NodeMoment {
        let monotonic = SystemClock.monotonicNanoseconds
        return NodeMoment(
            clock: here, monotonicNanoseconds: monotonic,
            epochNanoseconds: SystemClock.now.nanosecondsSinceEpoch)
    }

    /// Which clock is ours.
    public static let here = "\(boot)/\(namespace)"

    private static var boot: String {
        do throws(Files.ReadError) {
            let bytes = try Files.read("/proc/sys/kernel/random/boot_id", limit: 100)
            return PlainText.sanitized(String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self))
        } catch {
            // Then no other clock is taken for this one.
            return "\(CurrentProcess.hostName)-\(CurrentProcess.pid)"
        }
    }

    private static var namespace: String {
        do throws(SystemError) {
            return try Files.linkTarget("/proc/self/ns/time")
        } catch {
            // A kernel before 5.6 has one clock.
            return "time"
        }
    }

    /// The answer to a process that asks for the time, as a line.
    public var line: String { "\(clock) \(monotonicNanoseconds) \(epochNanoseconds)" }

    /// The moment in an answer; nil when it is none.
    public init?(line: some StringProtocol) {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count == 3, words[0].utf8.count <= 200, let monotonic = Int64(words[1]),
            let epoch = Int64(words[2]), monotonic >= 0, epoch >= 0
        else { return nil }
        self.init(
            clock: String(words[0]), monotonicNanoseconds: monotonic, epochNanoseconds: epoch)
    }
}
