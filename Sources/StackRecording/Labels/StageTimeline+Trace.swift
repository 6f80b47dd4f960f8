internal import LinuxSystem
internal import PipelineStatus

extension StageTimeline {
    /// The stages in an event trace; nil where there is none, or nothing in it.
    package init?(trace path: String) {
        let events = Self.events(inTrace: path)
        if events.isEmpty { return nil }
        self.init(
            edges: events.map {
                Edge(
                    monotonicNanoseconds: $0.monotonicNanoseconds, stage: $0.stage, isBegin: $0.isBegin,
                    threadID: $0.threadID)
            })
    }

    /// The most of a trace that is read, in bytes: a million edges.
    private static let traceLimit = 200 << 20

    private static func events(inTrace path: String) -> [StageEvent] {
        guard Files.exists(path) else { return [] }
        do throws(Files.ReadError) {
            return try Files.read(path, limit: traceLimit).split(separator: 0x0A)
                .compactMap { StageEvent.parse(Array($0)) }
        } catch {
            // The monitor read the same file as it grew and has what could be read of it.
            return []
        }
    }
}
