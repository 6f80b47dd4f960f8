extension Duration {
    /// A duration of a number of nanoseconds, as the kernel's clocks count them.
    public init(nanosecondCount: Int64) {
        let (seconds, rest) = nanosecondCount.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.init(secondsComponent: seconds, attosecondsComponent: rest * 1_000_000_000)
    }

    /// A duration of a number of seconds that comes from outside; nil where its nanoseconds, 292 years of them, are more than
    /// a number holds, or it is no number.
    public init?(secondsFromOutside seconds: Double) {
        guard seconds.magnitude < 9.2e9 else { return nil }
        self = .seconds(seconds)
    }

    /// The duration in seconds.
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }

    /// The duration in whole nanoseconds, rounded towards zero.
    public var inNanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }

    /// The duration for a person: `850 ms`, `12.3 s`, `4:05`, `2:03:04`.
    public var readable: String {
        let seconds = inSeconds
        if seconds.magnitude < 1 { return "\((seconds * 1000).fixed(0)) ms" }
        if seconds < 100 { return "\(seconds.fixed(1)) s" }
        let whole = Int64(seconds.rounded())
        let (minutes, second) = whole.quotientAndRemainder(dividingBy: 60)
        let (hours, minute) = minutes.quotientAndRemainder(dividingBy: 60)
        return hours > 0
            ? "\(hours):\(minute.zeroPadded(to: 2)):\(second.zeroPadded(to: 2))"
            : "\(minute):\(second.zeroPadded(to: 2))"
    }
}
