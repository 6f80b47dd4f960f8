import JSONDocument
import LinuxProcess
import LinuxSystem
import LoopbackServer
import Measurement
import Stages
import TestSupport
import Testing

@testable import PodcastPipeline

/// One run of the real executable over the embedded feed, for all tests that look at it.
private struct DemoRun: Sendable {
    let result: CommandResult
    /// What it left, by path below the run's directory. Kept here so that the directory goes with the run.
    let files: [String: String]
    /// The search index, which is no text.
    let index: [UInt8]

    static let feed = BuiltProduct.packageDirectory + "/data/feeds/sense-and-sensibility"
    static let shared = Result { try DemoRun() }

    init() throws {
        let directory = try TemporaryDirectory()
        let server = try LoopbackServer(serving: Self.feed)
        result = try runCommand(
            [
                BuiltProduct.path("podcast-scraper"), server.url("/feed.xml"), "--output-dir",
                directory.path + "/out", "--allow-local",
            ], environment: ["PIPELINE_STATUS_FILE": directory.path + "/status.json"])
        files = try Self.files(below: directory.path)
        let path = directory.path + "/out/index/search.sqlite"
        index = Files.exists(path) ? try Files.read(path, limit: 1 << 24) : []
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

    /// The names of the episodes' files, in the feed's order.
    var episodeNames: [String] {
        let episodes = (try? metrics())?["episodes"]?.array ?? []
        return episodes.compactMap { $0.object?["file_name"]?.string }
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
        let names = run.episodeNames.map { "\($0).txt" }
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
            .summarization, .giGeneration, .kgExtraction,
        ]
        #expect(history.map(\.stage) == [.rssFeedFetch] + perEpisode + [.vectorIndexing])
        #expect(history.map(\.entered) == [1, 4, 4, 4, 4, 4, 4, 4, 4, 1])
        // ffmpeg's CPU time counts, although it is a child's.
        let preprocessing = try #require(history.first { $0.stage == .audioPreprocessing })
        #expect(preprocessing.cpu ?? .zero > .zero)
        #expect(run.files[".pipeline_events.jsonl"] != nil)
    }

    @Test("the metrics give each episode's length, words, stages and pace")
    func metrics() throws {
        let run = try DemoRun.shared.get()
        let metrics = try run.metrics()
        #expect(metrics["schema_version"]?.number == 2)
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
            #expect(walls.count == 8)
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

    @Test("the figures of the stages are those of the event trace")
    func stageFigures() throws {
        let run = try DemoRun.shared.get()
        var opened: [String: [Double]] = [:]
        var work: [String: Double] = [:]
        for line in try run.text(".pipeline_events.jsonl").split(separator: "\n") {
            let fields = try #require(JSONValue.parse(Array(line.utf8))?.object)
            let stage = try #require(fields["stage"]?.string)
            let moment = try #require(fields["monotonic_ns"]?.number) / 1e9
            if fields["event"]?.string == "begin" {
                opened[stage, default: []].append(moment)
            } else {
                work[stage, default: 0] += moment - opened[stage, default: []].removeFirst()
            }
        }
        let stages = try #require(run.metrics()["stages"]?.array).compactMap(\.object)
        #expect(stages.count == 10)
        for stage in stages {
            let name = try #require(stage["stage"]?.string)
            let told = try #require(stage["work_s"]?.number)
            let traced = try #require(work[name])
            // A begin and an end lie within microseconds of the span; a busy machine may put a pause between.
            #expect(abs(told - traced) <= max(0.01 * traced, 0.05), "\(name): \(told) and \(traced)")
        }
    }

    @Test("the index finds what was said, to the second")
    func index() throws {
        let run = try DemoRun.shared.get()
        let directory = try TemporaryDirectory()
        try Files.createDirectories(directory.path + "/index")
        try Files.replace(directory.path + "/index/search.sqlite", with: run.index)
        let hit = try #require(try SearchIndex.search("amiable woman", in: directory.path, limit: 1).first)
        #expect(hit.text.contains("amiable"))
        let hits = try SearchIndex.search("had he married", in: directory.path, limit: 5)
        let best = try #require(hits.first)
        #expect(best.text.lowercased().contains("had he married"))
        // The sentence begins the clip at 11.49 s of the fourth episode, and the third episode.
        let expected = best.title == "A more amiable woman" ? 0.0 : 17.49
        #expect(abs(best.seconds - expected) < 1, "\(best)")
        #expect(throws: SearchIndex.Problem.self) {
            try SearchIndex.search("  ", in: directory.path, limit: 1)
        }
    }

    @Test("every insight is a quote of the transcript, at its time, and the graph hangs together")
    func knowledge() throws {
        let run = try DemoRun.shared.get()
        for name in run.episodeNames {
            let transcript = try run.text("out/transcripts/\(name).txt")
            let insights = try #require(
                JSONValue.parse(Array(run.text("out/insights/\(name).json").utf8))?.object?["insights"]?.array
            )
            #expect(!insights.isEmpty)
            for insight in insights.compactMap(\.object) {
                #expect(transcript.contains(try #require(insight["quote"]?.string)))
                #expect(try #require(insight["end_s"]?.number) > (try #require(insight["start_s"]?.number)))
            }
            let graph = try #require(JSONValue.parse(Array(run.text("out/graphs/\(name).json").utf8))?.object)
            let nodes = try #require(graph["nodes"]?.array).compactMap { $0.object?["id"]?.string }
            #expect(nodes.count > 3 && Set(nodes).count == nodes.count)
            for edge in try #require(graph["edges"]?.array).compactMap(\.object) {
                #expect(nodes.contains(try #require(edge["source"]?.string)))
                #expect(nodes.contains(try #require(edge["target"]?.string)))
            }
            // An independent reader of XML finds the same nodes.
            let directory = try TemporaryDirectory()
            try Files.replace(directory.path + "/g", with: run.text("out/graphs/\(name).graphml"))
            let counted = try runCommand([
                "xmllint", "--xpath", "count(//*[local-name()='node'])", directory.path + "/g",
            ])
            #expect(
                counted.standardOutput.split(separator: "\n").first.map(String.init) == String(nodes.count))
        }
    }

    @Test("nothing but results is left")
    func leftovers() throws {
        let run = try DemoRun.shared.get()
        let tops = Set(run.names(in: "out").compactMap { $0.split(separator: "/").first.map(String.init) })
        #expect(
            tops == [
                ".feed", ".lock", "episodes", "graphs", "index", "insights", "metrics.json", "summaries",
                "transcripts",
            ])
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
        #expect(!libraries.contains("curl") && !libraries.contains("sphinx") && !libraries.contains("xml2"))
    }
}
