import LinuxSystem
import TestSupport
import Testing

@testable import PodcastPipeline

@Suite("Hostile bytes")
struct HostileBytesTests {
    @Test("a feed with random damage is read or refused with a sentence, and what is read is bounded")
    func damagedFeeds() throws {
        let feed = try Files.read(
            BuiltProduct.packageDirectory + "/data/feeds/sense-and-sensibility/feed.xml", limit: 1 << 20)
        var random = SeededGenerator(seed: 7)
        var refusals = 0
        for _ in 0..<1000 {
            var damaged = feed
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let start = Int.random(in: 0..<damaged.count, using: &random)
                let end = min(damaged.count, start + Int.random(in: 0...20, using: &random))
                switch Int.random(in: 0..<3, using: &random) {
                case 0: damaged.removeSubrange(start..<end)
                case 1: damaged.insert(contentsOf: damaged[start..<end], at: start)
                default: damaged[start] = UInt8.random(in: 0...255, using: &random)
                }
                if damaged.isEmpty { damaged = feed }
            }
            do throws(FeedError) {
                let parsed = try FeedParser.parse(damaged)
                #expect(!parsed.episodes.isEmpty && parsed.episodes.count <= 9)
            } catch {
                refusals += 1
                #expect(error.description.hasSuffix("."))
                #expect(!error.description.unicodeScalars.contains { $0.value < 0x20 })
            }
        }
        // The damage was real, and not all of it fatal.
        // The parser goes on where it can: few of these feeds have no episode left.
        #expect((1...200).contains(refusals), "\(refusals) of 1000")
    }

    @Test("random words never break speaker detection, and a name is two to four words")
    func speakers() {
        let words = [
            "with", "and", "Ann", "Bo.", "J.", "van", "by", "hosted", "(", "Dr.", ",", "é", "guest", "&",
            "w/", "\u{0}",
        ]
        var random = SeededGenerator(seed: 11)
        var found = 0
        for _ in 0..<2000 {
            var episode = Feed.Episode()
            let count = Int.random(in: 0...12, using: &random)
            episode.title = (0..<count).map { _ in words[Int.random(in: 0..<words.count, using: &random)] }
                .joined(separator: " ")
            for candidate in SpeakerDetection.candidates(feed: Feed(), episode: episode) {
                found += 1
                #expect((2...4).contains(candidate.name.split(separator: " ").count), "\(episode.title)")
            }
        }
        #expect(found > 50)
    }
}
