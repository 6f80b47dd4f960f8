/// The ticks in a monitor's log (docs/formats/monitor-log.md): those of its last session, as far as they can be read.
enum MonitorLogTicks {
    /// The most ticks that are read.
    private static let limit = 1 << 20

    static func read(_ log: [UInt8]) -> [RunTimeline.Tick] {
        var ticks: [RunTimeline.Tick] = []
        for line in log.split(separator: 0x0A) {
            // A header begins another session.
            if line.starts(with: "# ".utf8) {
                if line.contains(UInt8(ascii: "=")) { ticks = [] }
                continue
            }
            guard ticks.count < limit, let first = line.first, (0x30...0x39).contains(first) else { continue }
            guard let tick = tick(line) else { continue }
            // A clock that goes back would draw a knot.
            if let last = ticks.last, tick.time < last.time { continue }
            ticks.append(tick)
        }
        return ticks
    }

    private static func tick(_ line: ArraySlice<UInt8>) -> RunTimeline.Tick? {
        var tick = RunTimeline.Tick(time: -1)
        for word in line.split(separator: 0x20) {
            guard let sign = word.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let value = Double(String(decoding: word[word.index(after: sign)...], as: UTF8.self))
                .flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
            switch String(decoding: word[..<sign], as: UTF8.self) {
            case "rss_mb": tick.resident = value
            case "cpu_pct": tick.cpu = value
            case "elapsed_s": tick.time = value ?? -1
            default: break
            }
        }
        return tick.time >= 0 ? tick : nil
    }
}
