import JSONDocument
import LinuxProcess
import LinuxSystem
import LoopbackServer
import Measurement
import PipelineStatus
import TestSupport
import Testing

@testable import PodcastPipeline

/// One run of the real executable over the embedded feed, for all tests that look at it.
private struct DemoRun: Sendable {
    let result: CommandResult
    /// What it left, by path below the run's directory. Kept here so that the directory goes with the run.
    let files: [String: String]

    static let feed = BuiltProduct.packageDirectory + "/data/feeds/sense-and-sensibility"
    static let shared = Result { try DemoRun() }

    init() throws {
        let directory = try TemporaryDirectory()
        let server = try LoopbackServer(serving: Self.feed)
        result = try runCommand(
            [
                BuiltProduct.path("podcast-scraper"), server.url("/feed.xml"), "--output-dir",
                directory.path + "/out",
            ], environment: ["PIPELINE_STATUS_FILE": directory.path + "/status.json"])
        files = try Self.files(below: directory.path)
    }

    private static func files(below directory: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in try Files.names(inDirectory: directory) {
            let path = "\(directory)/\(name)"
            if Files.isDirectory(path) {
                for (inner, text) in try files(below: path) { found["\(name)/\(inner)"] = text }
            } else {
                found[name] = String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
            }
        }
        return found
    }

    func text(_ name: String) throws -> String { try #require(files[name]) }

    func names(in directory: String) -> [String] {
        files.keys.filter { $0.hasPrefix(directory + "/") }.map { String($0.dropFirst(directory.count + 1)) }
            .sorted()
    }

    func metrics() throws -> [String: JSONValue] {
        try #require(JSONValue.parse(Array(text("out/metrics.json").utf8))?.object)
    }
}

@Suite("The demo run")
struct DemoRunTests {
    @Test("the word error rate's own oracle cases")
    func wordErrorRate() {
        #expect(WordErrorRate(of: "A b, c.", against: "a b c").errors == 0)
        #expect(WordErrorRate(of: "a x c d", against: "a b c").errors == 2)
        #expect(WordErrorRate(of: "", against: "a b c").rate == 1)
        #expect(WordErrorRate(of: "b c", against: "a b c").errors == 1)
    }

    @Test("fewer than half of the words are wrong in any episode")
    func transcripts() throws {
        let run = try DemoRun.shared.get()
        #expect(run.result.status == .code(0), "\(run.result.standardError)")
        #expect(run.result.standardOutput.hasSuffix("/out/metrics.json\n"))
        let names = run.names(in: "out/transcripts")
        let references = try Files.names(inDirectory: DemoRun.feed + "/references")
        #expect(names.count == 4 && references.count == 4)
        for (name, reference) in zip(names, references) {
            let said = try Files.read("\(DemoRun.feed)/references/\(reference)", limit: 1 << 16)
            let rate = WordErrorRate(
                of: try run.text("out/transcripts/\(name)"), against: String(decoding: said, as: UTF8.self))
            print("word error rate of \(name): \(rate.errors) of \(rate.words) words, \(rate.rate.fixed(2))")
            #expect(rate.words >= 20)
            #expect(rate.rate < 0.5)
        }
    }

    @Test("every stage is in the status history, entered once an episode")
    func stages() throws {
        let run = try DemoRun.shared.get()
        let status = try StatusSnapshot.parse(Array(run.text("status.json").utf8))
        #expect(status.stage == .done)
        let history = try #require(status.history)
        let perEpisode: [StageName] = [
            .speakerDetection, .mediaDownload, .audioPreprocessing, .transcription, .transcriptCleaning,
            .summarization,
        ]
        #expect(history.map(\.stage) == [.rssFeedFetch] + perEpisode + [.vectorIndexing])
        #expect(history.map(\.entered) == [1, 4, 4, 4, 4, 4, 4, 1])
        // ffmpeg's CPU time counts, although it is a child's.
        let preprocessing = try #require(history.first { $0.stage == .audioPreprocessing })
        #expect(preprocessing.cpu > .zero)
        #expect(run.files[".pipeline_events.jsonl"] != nil)
    }

    @Test("the metrics give each episode's length, words, stages and pace")
    func metrics() throws {
        let run = try DemoRun.shared.get()
        let metrics = try run.metrics()
        #expect(metrics["schema_version"]?.number == 1)
        #expect(metrics["feed_title"]?.string == "Sense and Sensibility, in passing")
        #expect(metrics["episodes_processed"]?.number == 4 && metrics["episodes_failed"]?.number == 0)
        let episodes = try #require(metrics["episodes"]?.array).compactMap(\.object)
        // The clips are 7.10 + 2.99 + 5.30 + 6.05 + 3.29 s, each with 0.7 s of silence behind it.
        let lengths = episodes.compactMap { $0["audio_s"]?.number }
        for (length, expected) in zip(lengths, [7.8, 9.69, 10.74, 28.23]) {
            #expect(abs(length - expected) < 0.15)
        }
        for episode in episodes {
            #expect(episode["media_bytes"] == episode["stated_media_bytes"])
            let walls = try #require(episode["stage_wall_s"]?.object)
            #expect(walls.count == 6)
            let transcription = try #require(walls["transcription"]?.number)
            let length = try #require(episode["audio_s"]?.number)
            let pace = try #require(episode["real_time_factor"]?.number)
            #expect(abs(pace - transcription / length) < 1e-3)
            let name = try #require(episode["file_name"]?.string)
            let transcript = try run.text("out/transcripts/\(name).txt")
            #expect(
                episode["words"]?.number == Double(transcript.split(whereSeparator: \.isWhitespace).count))
            for line in try run.text("out/summaries/\(name).txt").split(separator: "\n") {
                #expect(transcript.contains(line))
            }
        }
    }

    @Test("the index finds what was said")
    func index() throws {
        let run = try DemoRun.shared.get()
        let directory = try TemporaryDirectory()
        try Files.replace(directory.path + "/index", with: run.text("out/index/segments.json"))
        let index = try SearchIndex.read(directory.path + "/index")
        let hit = try #require(index.search("amiable woman", limit: 1).first)
        #expect(hit.segment.text.contains("amiable"))
        #expect([3, 4].contains(hit.segment.episode))
        // The clips of the fourth episode begin at 0, 7.80, 11.49, 17.49 and 24.24 s.
        let starts = index.segments.filter { $0.episode == 4 }.map(\.startSeconds)
        for clip in [0, 7.8, 11.49, 17.49, 24.24] {
            #expect(starts.contains { (clip...clip + 0.8).contains($0) }, "\(starts)")
        }
    }

    @Test("nothing but results is left")
    func leftovers() throws {
        let run = try DemoRun.shared.get()
        let tops = Set(run.names(in: "out").compactMap { $0.split(separator: "/").first.map(String.init) })
        #expect(tops == ["index", "metrics.json", "summaries", "transcripts"])
    }

    @Test("the decoder's inner functions are in the executable by name, for the flamegraph")
    func symbols() throws {
        let listing = try runCommand(["nm", BuiltProduct.path("podcast-scraper")]).standardOutput
        for function in [
            " T hmm_vit_eval\n", " t hmm_vit_eval_", " T ngram_fwdtree_search\n", " t ngram_search_",
        ] {
            #expect(listing.contains(function), "\(function)")
        }
        // Opened at run time only: the monitor child shares this binary.
        let libraries = try runCommand(["ldd", BuiltProduct.path("podcast-scraper")]).standardOutput
        #expect(libraries.contains("libc.so"))
        #expect(!libraries.contains("curl") && !libraries.contains("sphinx") && !libraries.contains("expat"))
    }
}
