public import Measurement

/// Which episodes of a feed are processed, and in which order.
public struct EpisodeSelection: Equatable, Sendable {
    /// The order in which episodes are taken.
    public enum Order: String, CaseIterable, Sendable {
        /// As they stand in the feed.
        case feed
        /// By date, the newest first; those without a date last.
        case newest
        /// By date, the oldest first; those without a date last.
        case oldest
    }

    public var order = Order.feed
    /// Episodes left out at the beginning, in that order.
    public var offset = 0
    /// Only episodes published at this moment or later; those without a date are left out.
    public var since: Timestamp?
    /// Only episodes published before this moment; those without a date are left out.
    public var until: Timestamp?
    /// The most episodes; all when nil.
    public var maximum: Int?

    /// All episodes in the feed's order.
    public init() {}

    /// The episodes selected from a feed.
    func select(from episodes: [Feed.Episode]) -> [Feed.Episode] {
        var selected = episodes.filter { episode in
            if since == nil && until == nil { return true }
            guard let published = episode.published else { return false }
            return since.map { published >= $0 } ?? true && until.map { published < $0 } ?? true
        }
        if order != .feed {
            // Of the same date those stay in the feed's order.
            selected = selected.enumerated().sorted { left, right in
                switch (left.element.published, right.element.published) {
                case (let first?, let second?) where first != second:
                    order == .newest ? first > second : first < second
                case (.some, nil): true
                case (nil, .some): false
                default: left.offset < right.offset
                }
            }.map(\.element)
        }
        return Array(selected.dropFirst(offset).prefix(maximum ?? .max))
    }

    /// A moment as an option gives it: a day in UTC, or an ISO 8601 time.
    public static func moment(_ text: String) -> Timestamp? { FeedDate.parse(text) }
}
