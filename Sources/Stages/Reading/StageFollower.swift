internal import LinuxSystem
internal import Measurement

/// Follows a pipeline's stages without a monitor: what `sample` labels its stacks by.
///
/// A class and not a move-only value, because an optional one passed along as `inout` crashes the optimizer of Swift 6.3.
package final class StageFollower {
    /// To be polled; nil where the directory cannot be watched.
    package var descriptor: Int32? { watch.descriptor }

    private let watch: StatusWatch
    private var feed: StageFeed
    private var events: [StageEvent] = []
    private var dropped = 0

    /// The most events kept: a target that flips its stage in a loop must not fill our memory.
    private static let eventLimit = 1_000_000

    /// Follows a status file in a directory that exists.
    ///
    /// - Parameter owner: The only user whose files are believed; nil for any.
    package init(statusFile: String, existing: StageFeed.Existing, owner: UInt32? = nil) {
        watch = StatusWatch(statusFile: statusFile)
        feed = StageFeed(statusFile: statusFile, existing: existing, owner: owner)
        look()
    }

    /// Takes in what the pipeline has written.
    package func look() {
        // What happened is of no interest: the files as they are now count.
        _ = watch.news()
        while true {
            let found = feed.read()
            if found.isEmpty { break }
            keep(found)
            // The status file has one state; the trace may hold more than one reading takes.
            if feed.source != .eventTrace { break }
        }
        if feed.source != nil { watch.settle(on: feed.location.statusFile) }
    }

    /// The stages so far; nil when the pipeline never named any.
    package func timeline() -> StageTimeline? {
        guard !events.isEmpty else { return nil }
        return StageTimeline(
            events: events, unrecordedFrom: dropped > 0 ? events.last?.monotonicNanoseconds : nil)
    }

    /// Processes that only marked stages, and are no part of the pipeline.
    package var markers: Set<Int32> { Set(feed.markers.map(\.pid)) }

    /// What a reader of the stages should know, in whole sentences.
    package var notes: [String] {
        guard dropped > 0 else { return feed.notes }
        return feed.notes + [
            "\(dropped) transitions after the first \(Self.eventLimit) are not recorded: samples taken after them are "
                + "labelled '\(StageTimeline.unrecorded)'."
        ]
    }

    private func keep(_ found: [StageEvent]) {
        let room = max(0, Self.eventLimit - events.count)
        events += found.prefix(room)
        dropped += max(0, found.count - room)
    }
}
